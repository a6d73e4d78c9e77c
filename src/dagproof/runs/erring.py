"""Which errors are worth trying at which points of a run: one that equals another is not tried twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dagproof.histories.outages import ALWAYS, ONCE, errors_at
from dagproof.runs.points import Point

_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
#: Statements that neither read nor write: an error there equals one at the statement that comes next, or nothing. One
#: at the beginning of a COPY, or in its midst, equals one at its end.
_PREPARING = re.compile(
    r"(?i)(begin|start|set|show|rollback|abort|savepoint|release|discard|deallocate|reset|listen|unlisten|close"
    r"|select pg_catalog\.version\(\)|select current_schema\(\))\b|copydata |copy .*\bfrom stdin\b"
)
_COMMITTING = re.compile(r"(?i)(commit|end)\b")
_READING = re.compile(r"(?i)(select|table|values|fetch|explain|with)\b")
_WRITING = re.compile(r"(?i)\b(insert|update|delete|merge|truncate|into)\b")


@dataclass(frozen=True)
class Attempt:
    """An error at a point of a run, once or each time from then on."""

    point: Point
    error: str
    lasts: str = ONCE


def attempts(points: Sequence[Point], *, all_errors: bool = False) -> list[Attempt]:
    """Return the errors that are worth trying at the points of a run.

    Each statement, file and poke meets an error once, for the code around it may take that. An error that lasts leaves
    the same whatever a task was doing since it began, or since its last commit: there, it is tried at one point.
    """
    found = _Found()
    for point in points:
        for error in found.errors(point, all_errors=all_errors):
            found.add(Attempt(point, error))
        if (lasting := found.lasting(point)) is not None:
            found.add(Attempt(point, lasting, ALWAYS))
    return found.attempts


@dataclass
class _Found:
    attempts: list[Attempt] = field(default_factory=list)
    _wrote: set[str] = field(default_factory=set)
    _lasted: set[tuple[str, str, int]] = field(default_factory=set)
    _read: set[tuple[str, str, str, str]] = field(default_factory=set)
    _committed: dict[str, int] = field(default_factory=dict)

    def add(self, attempt: Attempt) -> None:
        """Keep it, unless the task has met that error already where it read the same."""
        point = attempt.point
        reads = point.kind == "read" or (point.kind == "message" and _reads(_statement(point)))
        key = (point.task, point.what, attempt.error, attempt.lasts)
        if not reads or key not in self._read:
            self.attempts.append(attempt)
            self._read.add(key)

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
        place = point.what if point.kind == "connect" else ""  # one server is down, and another one is not
        if (point.task, place, since) in self._lasted:
            return None
        self._lasted |= {(point.task, place, since), (point.task, "", since)}
        return "connection lost" if point.kind == "message" else usual(point)

    def _is_worth(self, point: Point) -> bool:
        """Tell whether something can be lost by an error at a point, and note what a task has written so far."""
        if point.kind not in ("message", "reply"):
            return True
        statement = _statement(point)
        if _PREPARING.match(statement):
            return False
        commits = bool(_COMMITTING.match(statement))
        if not commits and not _reads(statement):
            self._wrote.add(point.task)
        if point.kind == "message":
            return not commits or point.task in self._wrote
        is_worth = point.task in self._wrote and (commits or not _reads(statement))
        if is_worth:
            self._committed[point.task] = self._committed.get(point.task, 0) + 1
        return is_worth


def usual(point: Point) -> str:
    """Return the error that a point meets where nobody wants all."""
    if point.kind == "message":
        statement = _statement(point)
        if _COMMITTING.match(statement):
            return "serialization failure"
        return "statement cancelled" if _reads(statement) else "deadlock"
    if point.kind == "file" and point.what.startswith(("remove", "truncate")):
        return "permission denied"
    return errors_at(point.kind)[0]


def _statement(point: Point) -> str:
    return _COMMENTS.sub(" ", point.what).strip(" (")


def _reads(statement: str) -> bool:
    return bool(_READING.match(statement)) and not _WRITING.search(statement)
