"""The connections that a run opens to the places of its world: counted, and refused where that is planned.

The gate sees them, whoever opens them: a driver in Python, a library in C, or a program of a shell command.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Place = tuple[str, int]


@dataclass(frozen=True)
class Connect:
    """A connection that a run has opened; `time` is by the machine's monotonic clock."""

    what: str
    place: Place
    time: float


class Connects:
    """Counts connections from 1, over all places that have a name, and lets fail what is planned.

    Args:
        names: what people call each place.
        at: the number of the connection that does not come about; none where it is 0.
        lasts: whether no further one to the same place does.
        instead: called instead of refusing that connection, which then comes about.
    """

    def __init__(
        self,
        names: Mapping[Place, str],
        at: int = 0,
        *,
        lasts: bool = False,
        instead: Callable[[], None] | None = None,
    ) -> None:
        self._names = names
        self._at = at
        self._lasts = lasts
        self._instead = instead
        self._down: set[Place] = set()
        self.seen: list[Connect] = []
        """What was opened so far, or tried."""

    @property
    def reached(self) -> bool:
        """Whether the planned one was tried."""
        return 0 < self._at <= len(self.seen)

    def take_down(self, place: Place) -> None:
        """Refuse all connections to a place from now on."""
        self._down.add(place)

    def opened(self, host: str, port: int, program: str) -> int:
        """Note a connection that a run opens, by a program of its own where it has a name; return its error number."""
        place = (host, port)
        if place not in self._names:
            return 0
        name = self._names[place]
        self.seen.append(
            Connect(f"{program} connects to {name}" if program else f"connect to {name}", place, time.monotonic())
        )
        if len(self.seen) == self._at:
            if self._instead:
                self._instead()
                return 0
            if self._lasts:
                self._down.add(place)
            return errno.ECONNREFUSED
        return errno.ECONNREFUSED if place in self._down else 0
