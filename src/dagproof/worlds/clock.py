"""The world's clock: it starts where it is told, runs on, and jumps ahead instead of waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import time_machine


class Clock:
    """The wall clock that a run sees, moved by time-machine (which moves pandas' and the C library's clock too).

    ``time.sleep`` returns at once, with the clock ahead by what was asked for. `next_due` may name the moment that
    the sleeper really waits for; the clock then jumps there instead of stepping.
    """

    def __init__(self, start: datetime, next_due: Callable[[], datetime | None] = lambda: None) -> None:
        # a number, for a datetime would bring its time zone along
        self._traveller = time_machine.travel(start.timestamp(), tick=True)
        self._coordinates: Any = None
        self._sleep = time.sleep
        self._next_due = next_due

    def start(self) -> None:
        """Move this process to the world's time and put waiting out of force."""
        self._coordinates = self._traveller.start()
        time.sleep = self.sleep  # type: ignore[assignment]  # ours takes a float, and that is all that is passed

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, in no time."""
        self._sleep(min(seconds, 0.0005))  # other threads get their turn
        due = self._next_due()
        ahead = timedelta(seconds=seconds) if due is None else due - datetime.now(tz=due.tzinfo)
        if ahead > timedelta(0):  # never back
            self._coordinates.shift(ahead)
