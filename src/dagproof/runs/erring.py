"""Which errors are worth trying at which points of a run: one that equals another is not tried twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dagproof.histories.outages import ALWAYS, ONCE, errors_at
from dagproof.runs.points import Point
from dagproof.runs.saying import saying


@dataclass(frozen=True)
class Attempt:
    """An error at a point of a run, once or each time from then on."""

    point: Point
    error: str
    lasts: str = ONCE


def attempts(points: Sequence[Point], *, all_errors: bool = False) -> list[Attempt]:
    """Return the errors that are worth trying at the points of a run.

    Each statement, file and poke meets an error once, for the code around it may take that; of the reads of the same
    in a task, the first one and the last one do. An error that lasts leaves the same whatever a task was doing since
    it began, or since its last commit: there, it is tried at one point of a kind.
    """
    found = _Found()
    passed_over = set(between(points))
    tried = []
    for point in points:
        errors = [Attempt(point, error) for error in found.errors(point, all_errors=all_errors)]
        if point not in passed_over:
            tried += errors
        if (lasting := found.lasting(point)) is not None:
            tried.append(Attempt(point, lasting, ALWAYS))
    return tried


def between(points: Sequence[Point]) -> list[Point]:
    """Return the reads that meet no error, as the task reads the same before and after, and meets one there."""
    reads: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        if point.kind == "read" or (point.kind == "message" and saying(point.what).reads):
            reads.setdefault((point.task, point.what), []).append(point)
    return [point for same in reads.values() for point in same[1:-1]]


@dataclass
class _Found:
    _wrote: set[str] = field(default_factory=set)
    _lasted: set[tuple[str, str, int]] = field(default_factory=set)
    _committed: dict[str, int] = field(default_factory=dict)

    def errors(self, point: Point, *, all_errors: bool) -> Iterator[str]:
        """Yield the errors that a point meets once."""
        if not self._is_worth(point):
            return
        if all_errors and (point.kind != "connect" or point.what.endswith(" PostgreSQL")):
            yield from errors_at(point.kind)
        else:
            yield usual(point)

    def lasting(self, point: Point) -> str | None:
        """Return the error that lasts from this point on; None where it would equal one that is tried already."""
        if point.kind == "reply" or (point.kind == "message" and not self._is_worth(point)):
            return None
        since = self._committed.get(point.task, 0)
        if point.kind == "file":  # it is there, or gone, from here on
            self._committed[point.task] = since + 1
        if point.kind in ("read", "poke"):  # each file can be gone, and is gone for good the first time
            key = (point.task, point.what, 0)
        else:  # one server is down, and another one is not; a connection that is open breaks in other code
            key = (point.task, point.what if point.kind == "connect" else "", since)
        if key in self._lasted:
            return None
        self._lasted.add(key)
        return "connection lost" if point.kind == "message" else usual(point)

    def _is_worth(self, point: Point) -> bool:
        """Tell whether something can be lost by an error at a point, and note what a task has written so far."""
        if point.kind not in ("message", "reply"):
            return True
        said = saying(point.what)
        if said.may_write:
            self._wrote.add(point.task)
        if point.kind == "message":
            return not said.prepares and (not said.commits or point.task in self._wrote)
        is_worth = point.task in self._wrote and (said.commits or said.writes)
        if is_worth:
            self._committed[point.task] = self._committed.get(point.task, 0) + 1
        return is_worth


def usual(point: Point) -> str:
    """Return the error that a point meets where nobody wants all."""
    if point.kind == "message":
        said = saying(point.what)
        if said.commits and not said.writes:
            return "serialization failure"
        return "statement cancelled" if said.reads else "deadlock"
    if point.kind == "file" and point.what.startswith(("remove", "truncate")):
        return "permission denied"
    return errors_at(point.kind)[0]
