"""Which faults are worth trying: those after which the server or the client can be in a state of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dagproof.postgres.wire.plans import Message

_LITERAL = re.compile(r"'[^']*'?|\d+")
_WORKING = ("Execute", "CopyDone")


@dataclass(frozen=True)
class FaultPoints:
    """Points to try, as (index of a message, ``"before"`` or ``"after"``), in order, and what was left out of them.

    `thinned` is a sentence, or None when every point is there.
    """

    points: tuple[tuple[int, str], ...]
    thinned: str | None


@dataclass(frozen=True)
class _Point:
    index: int
    when: str
    likeness: tuple[str, ...]  # equal for points that are one long stream of the same
    shown: str
    longest: int


@dataclass
class _Batch:
    """Messages of the extended protocol up to their Sync; or a CopyDone and the Sync behind it, if there is one."""

    first: Message | None = None
    statement: str = ""
    works: list[tuple[Message, str]] = field(default_factory=list)


def fault_points(messages: Iterable[Message], *, longest: int = 20) -> FaultPoints:
    """Return the points at which a fault of what a `Watch` has seen is worth trying.

    Each Query is, before and after. A batch of Parse, Bind, Describe, Execute and Sync is before its first message,
    after each Execute, for a transaction may end there, and after its Sync. So is the end of a COPY. Of its CopyData
    three are: before the first, the middle and the last. Left out is what cannot differ: messages without a statement,
    Terminate, and what only prepares. Of more than `longest` points that are alike the first, the middle and the last
    are kept: inserts of one shape, each with its own commit, for example.
    """
    connections: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        connections[message.connection].append(message)
    points, lost = [], []
    for of_one in connections.values():
        kept, sentences = _thinned(list(_points(of_one, longest)))
        points += kept
        lost += sentences
    ordered = sorted(points, key=lambda point: (point[0], point[1] == "after"))
    return FaultPoints(tuple(ordered), "; ".join(lost) or None)


def _points(messages: Sequence[Message], longest: int) -> Iterator[_Point]:
    """The points of one connection's messages, all of them."""
    past = ("", "")  # what the two statements before were like: a COMMIT differs by what it commits
    copies = 0
    batch = _Batch()
    for message in (*messages, None):
        kind = message.kind if message else "Terminate"
        if batch.first and kind not in ("Parse", "Bind", "Describe", "Execute", "Close", "Flush"):
            found, past = _of_batch(batch, message if kind == "Sync" else None, past, longest)
            yield from found
            batch = _Batch()
        if message is None or kind in ("Sync", "Flush", "CopyFail", "Terminate"):
            continue
        if kind == "CopyData":
            yield _Point(message.index, "before", ("CopyData", str(copies)), "CopyData messages", 3)
        elif kind in ("Query", "FunctionCall"):
            if message.text.strip("; ") or kind == "FunctionCall":
                statement = _shape(f"{kind} {message.text}")
                for when in ("before", "after"):
                    yield _Point(message.index, when, (when, statement, *past), _points_at(statement), longest)
                past = (past[1], statement)
        else:
            copies += kind == "CopyDone"
            _add(batch, message)


def _add(batch: _Batch, message: Message) -> None:
    batch.first = batch.first or message
    if message.kind == "Parse":
        batch.statement = _shape(f"Parse {message.text}")
    elif message.kind == "Bind" and message.text:
        batch.statement = f"Bind {message.text}"  # the name of what was prepared
    if message.kind in _WORKING:
        batch.works.append((message, batch.statement or message.kind))


def _of_batch(
    batch: _Batch, sync: Message | None, past: tuple[str, str], longest: int
) -> tuple[list[_Point], tuple[str, str]]:
    """The points of a batch, and what its last statements were like; none when nothing is executed in it."""
    found: list[_Point] = []
    if not batch.works or batch.first is None:
        return found, past
    statement = batch.works[0][1]
    found.append(_Point(batch.first.index, "before", ("before", statement, *past), _points_at(statement), longest))
    last = len(batch.works) - 1
    for n, (message, statement) in enumerate(batch.works):
        point = sync if sync and n == last else message
        found.append(_Point(point.index, "after", ("after", statement, *past), _points_at(statement), longest))
        past = (past[1], statement)
    return found, past


def _shape(text: str) -> str:
    return _LITERAL.sub("?", text)


def _points_at(statement: str) -> str:
    _, _, text = statement.partition(" ")
    return f"points at '{text[:40].rstrip()}'" if text else f"points at {statement}"


def _thinned(points: list[_Point]) -> tuple[list[tuple[int, str]], list[str]]:
    """What is kept of the points, and a sentence for each thing that is left out."""
    alike: dict[tuple[str, ...], list[_Point]] = defaultdict(list)
    for point in points:
        alike[point.likeness].append(point)
    kept: list[_Point] = []
    lost: dict[str, tuple[int, int]] = {}
    for group in alike.values():
        some = group if len(group) <= group[0].longest else [group[0], group[len(group) // 2], group[-1]]
        kept += some
        if some is not group:
            left, of = lost.get(group[0].shown, (0, 0))
            lost[group[0].shown] = (left + len(group) - len(some), of + len(group))
    return [(point.index, point.when) for point in kept], [
        f"{left:,} of {of:,} {shown} left out" for shown, (left, of) in lost.items()
    ]
