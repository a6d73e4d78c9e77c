"""What is claimed of each planted bug and of each healthy DAG, and which of it is tried each time."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from zlib import crc32

import pytest

from dagproof.laws import Verdict
from dagproof.report.text import failure_text
from tests.bugs.catalogue import (
    BUGS,
    HEALTHY,
    HEALTHY_BESIDES,
    IGNORED,
    LAWS,
    VERDICTS,
    Broken,
    Bug,
    Steps,
)

DAGS = Path(__file__).with_name("dags")

#: These take a run for each point of another one, or a search for the shortest history: most are left to deep tests.
SLOW = frozenset({"crash", "outage", "overlap", "history"})
QUICK = frozenset(
    {
        ("commit_between", "crash"),
        ("swap_in_pieces", "crash"),
        ("swap_by_rename", "crash"),
        ("file_in_place", "crash"),
        ("file_rename", "crash"),
        ("lock_file", "crash"),
        ("watermark_in_a_variable", "crash"),
        ("delete_insert", "crash"),
        ("load_error_logged", "outage"),
        ("one_message_logged", "outage"),
        ("load_tried_twice", "outage"),
        ("shell_or_true", "outage"),
        ("skip_as_configured", "outage"),
        ("yesterdays_file_instead", "outage"),
        ("commit_in_handler", "outage"),
        ("delete_insert_unlocked", "overlap"),
        ("shared_staging", "overlap"),
        ("shared_temp_file", "overlap"),
        ("delete_insert", "overlap"),
        ("third_load_keeps", "history"),
        ("counted_loads", "history"),
    }
)
#: Others like these are tried each time.
LIKE_OTHERS = frozenset(
    {
        *("messages_of_old_ids", "messages_of_numbers", "checksum_of_ids", "checksum_of_numbers"),
        *("reply_to_the_last", "reply_by_number", "parents_pile_up", "parents_replaced", "uuid_conflict"),
        *("children_adopted", "children_found_again", "ids_counted_up", "ids_of_the_source"),
        *("shards_of_old_ids", "shards_of_numbers", "references_of_old_ids", "references_of_numbers"),
        *("notes_of_declared_ids", "function_commit_logged", "function_commit_raised"),
        *("version_for_each_run", "soft_delete_forgotten", "soft_deletes", "log_emptied"),
    }
)
#: What each bug is there for. The other laws that it breaks are left to the deep tests.
MAIN = {(bug.name, next(iter(bug.breaks))) for bug in BUGS}
#: What each healthy DAG would most likely be accused of.
NEAR = {(bug.twin, law) for bug in BUGS for law in list(bug.breaks)[:1]} | {
    (name, law) for name, chosen in HEALTHY_BESIDES.items() for law in chosen
}


def is_deep(name: str, law: str) -> bool:
    """Whether it takes too long to be tried each time."""
    return name in LIKE_OTHERS or (law in SLOW and (name, law) not in QUICK) or (name, law) not in MAIN | NEAR


def marks(name: str, law: str) -> list[pytest.MarkDecorator]:
    """Return the marks of a test of a DAG and a law."""
    if is_deep(name, law):
        return [pytest.mark.deep]
    return [] if crc32(name.encode()) % 5 == 0 else [pytest.mark.slow]  # a fifth, always the same, for `tox` alone


def broken_by(*laws: str) -> list[object]:
    """Return a bug, a law and how it is broken, as parameters, for each bug that breaks one of the laws."""
    return [
        pytest.param(bug, law, broken, id=f"{bug.name}-{law}", marks=marks(bug.name, law))
        for bug in BUGS
        for law, broken in bug.breaks.items()
        if law in laws
    ]


def healthy_under(*laws: str) -> list[object]:
    """Return a healthy DAG and a law, as parameters."""
    return [pytest.param(name, law, id=f"{name}-{law}", marks=marks(name, law)) for name in HEALTHY for law in laws]


#: What a drawn history may contain: a DAG that breaks one of these laws is history-dependent in an obvious way.
OBVIOUS = frozenset({"deterministic", "rerun", "retry", "crash", "order", "overlap", "correction"})


#: An error is followed by another try, or another run: a DAG that breaks one of these laws may break `outage`, too.
REPEATED = frozenset({"rerun", "retry", "crash"})


def unbroken() -> list[object]:
    """Return a bug and a law that it does not break, as parameters."""
    return [
        pytest.param(bug, law, id=f"{bug.name}-{law}")
        for bug in BUGS
        for law in LAWS
        if law not in bug.breaks
        and not (law == "history" and OBVIOUS & bug.breaks.keys())
        and not (law == "outage" and REPEATED & bug.breaks.keys())
    ]


def told(verdict: Verdict) -> str:
    """What a failing test shows: the report, or the verdict where there is none."""
    return failure_text("the DAG", verdict) if verdict.history else f"{verdict}\n{verdict.log_tail}"


def assert_history(verdict: Verdict, steps: Steps) -> None:
    """The history has these steps, of the kinds and dates given, and no step too many.

    A drawn one may have them in another order: there are several that are equally short.
    """
    found = tuple((step.kind, step.date) for step in verdict.history or ())
    assert len(found) == len(steps), told(verdict)
    orders = permutations(steps) if verdict.law == "history" else [steps]
    assert any(
        all(kind in kinds.split("|") and date == when for (kind, date), (kinds, when) in zip(found, order, strict=True))
        for order in orders
    ), told(verdict)


def assert_broken(bug: Bug, law: str, broken: Broken, verdict: Verdict) -> None:
    """The verdict is the one that the bug must get: its word, its history, what differs and who has done it."""
    assert (verdict.outcome, verdict.verdict) == ("falsified", broken.verdict or VERDICTS[law]), told(verdict)
    assert_history(verdict, broken.history)
    assert verdict.diff is not None
    assert broken.where is None or verdict.diff.names == set(broken.where), told(verdict)
    if verdict.diff.structure and not (verdict.diff.tables or verdict.diff.files):
        assert (verdict.headline or "").startswith("Definitions differ"), told(verdict)
    for table in verdict.diff.tables:
        found = {kind: getattr(table, kind) for kind in ("added", "missing", "changed", "duplicated")}
        if broken.counts:
            assert {kind: number for kind, number in found.items() if number} == broken.counts, told(verdict)
        if broken.columns:
            assert table.columns == broken.columns
        if broken.rows:
            assert (table.rows_before, table.rows_after) == broken.rows
    for file in verdict.diff.files:
        assert file.detail.startswith(broken.detail)
    assert bool(verdict.machines) == (law == "deterministic" and not verdict.asked), told(verdict)
    if law == next(iter(bug.breaks)):
        assert_laid_at_the_door(bug, verdict)


def assert_laid_at_the_door(bug: Bug, verdict: Verdict) -> None:
    """Who wrote what differs is the bug's task, with a line of it where it is Python; where nobody did, nobody."""
    if verdict.written_by is None:
        return
    task, _, place = re.sub(r", in step \d+$", "", verdict.written_by).partition(", at ")
    assert task == (bug.task if "_callback of " in bug.task else f"task {bug.task}")
    if "_callback of " in bug.task:
        return
    if not place:
        assert "@task" not in (DAGS / f"{bug.name}.py").read_text(encoding="utf-8")
        return
    file, _, line = place.rpartition(":")
    assert Path(file) == DAGS / f"{bug.name}.py"
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    assert any(f"def {bug.task}(" in text for text in lines[int(line) - 1 : int(line) + 1])


def assert_healthy(name: str, verdict: Verdict) -> None:
    """It is proven, or the law says nothing about it, for a reason; what is ignored is named."""
    assert verdict.outcome in ("proven", "not-applicable"), told(verdict)
    if verdict.outcome == "not-applicable":
        assert re.search(
            r"no upstream DAG is configured|refreshed as a whole|the configuration exempts all|its runs have no point",
            verdict.reason or "",
        ), told(verdict)
    assert set(IGNORED.get(name, ())) <= set(verdict.ignored)
