"""What is noted of a run where it happens: what was refused to it, and what it reached that nobody compares.

The guard in the worker and its children writes lines of JSON to a file, which also outlive a child that is killed; the
gate, which is in this process, adds to them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from dagproof.inside.exchange import LeftOut

#: What a note says in the report of a run: why it is named there, and the setting that makes it so.
_WHY = {
    "reached": ("also connected to: neither compared nor restored", "world.allow"),
    "served": ("also connected to: neither compared nor restored", "world.services"),
    "wrote": ("also wrote: neither compared nor restored", "world.allow"),
    "perhaps reached": ("may have connected to: neither compared nor restored", "world.allow"),
    "perhaps served": ("may have connected to: neither compared nor restored", "world.services"),
    "perhaps wrote": ("may have written: neither compared nor restored", "world.allow"),
    "removed": ("not compared, since it is removed after each run", ""),
    "refused": ("(refused; the run went on)", ""),
}


class Notes:
    """The notes about one worker, read at the end of each run; what was noted between two runs belongs to all later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._always: dict[tuple[str, str], None] = {}
        self._now: dict[tuple[str, str], None] = {}

    def add(self, kind: str, what: str) -> None:
        """Note something."""
        with self._lock:
            self._now[kind, what] = None

    def begin(self) -> None:
        """A run begins: what was noted so far came of importing the DAGs."""
        self._always |= self._taken()

    def end(self, possible: Iterable[Sequence[str]] = ()) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
        """A run has ended: return, for its report, the sentences about what was refused, and what was left out.

        What is `possible` besides, and nobody would have seen, is named as such.
        """
        noted = dict.fromkeys([*self._always, *self._taken()])
        noted |= {(f"perhaps {kind}", what): None for kind, what in possible if (kind, what) not in noted}
        left_out = tuple(LeftOut(what, *_WHY[kind]) for kind, what in noted)
        return tuple(what for kind, what in noted if kind == "refused"), left_out

    def _taken(self) -> dict[tuple[str, str], None]:
        with self._lock:
            taken, self._now = self._now, {}
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
            self.path.unlink()
        except OSError:
            return taken
        for line in lines:
            note = json.loads(line)
            taken[note["kind"], note["what"]] = None
        return taken
