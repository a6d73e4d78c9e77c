"""Verdicts with one cause: the same difference, after runs that contain those which showed it first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dagproof.histories import History
from dagproof.laws import Verdict
from dagproof.laws.verdict import FALSIFIED
from dagproof.stores.diff import Diff


def told_once(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts; one with the cause of another before it says of which law that is (`same_as`)."""
    told: list[Verdict] = []
    result = []
    for verdict in verdicts:
        first = next((one for one in told if _is_same(one, verdict)), None)
        result.append(replace(verdict, same_as=first.law if first else None))
        if first is None and verdict.outcome == FALSIFIED:
            told.append(verdict)
    return tuple(result)


def _is_same(first: Verdict, verdict: Verdict) -> bool:
    """Tell whether a verdict says nothing that the first one does not: what differs, by whom, and after which runs.

    One in the law's own second word (``not atomic``) says something else.
    """
    if verdict.outcome != FALSIFIED or verdict.accusation or not verdict.diff or not first.diff:
        return False
    if first.law == verdict.law or first.accusation or _shape(first.diff) != _shape(verdict.diff):
        return False
    writers = {task for v in (first, verdict) if (task := _task(v))}
    return len(writers) <= 1 and _contains(_runs(verdict.history or ()), _runs(first.history or ()))


def _shape(found: Diff) -> object:
    """Return how things differ, whatever their number: kinds of changes, by table and column, file, and definition."""
    kinds = ("added", "missing", "changed", "duplicated")
    return (
        {(t.table, t.columns, tuple(kind for kind in kinds if getattr(t, kind))) for t in found.tables},
        {(file.path, file.change) for file in found.files},
        {(part.part, part.kind) for part in found.structure},
    )


def _task(verdict: Verdict) -> str:
    return (verdict.written_by or "").partition(", in step ")[0]


def _runs(history: History) -> list[str]:
    """Return the dates that run, one after the other: a task that is tried again has run twice."""
    runs: list[str] = []
    for step in history:
        runs += [step.date] * (step.runs + (step.kind == "retry"))
        runs += [step.other] if step.other else []
    return runs


def _contains(runs: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether all of the other runs are among these, in their order."""
    left = iter(runs)
    return bool(others) and all(date in left for date in others)
