"""Each planted bug gets its verdict with the shortest history, and each healthy DAG is proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.laws import Verdict, all_laws
from dagproof.report.text import failure_text
from tests.bugs.catalogue import BUGS, HEALTHY, IGNORED, LAWS, VERDICTS, Broken, Bug
from tests.bugs.conftest import VerdictOf

DAGS = Path(__file__).with_name("dags")

BROKEN = [pytest.param(bug, law, broken, id=f"{bug.name}-{law}") for bug in BUGS for law, broken in bug.breaks.items()]
UNBROKEN = [pytest.param(bug, law, id=f"{bug.name}-{law}") for bug in BUGS for law in LAWS if law not in bug.breaks]


def told(verdict: Verdict) -> str:
    """What a failing test shows: the report, or the verdict where there is none."""
    return failure_text("the DAG", verdict) if verdict.history else str(verdict)


@pytest.mark.parametrize(("bug", "law", "broken"), BROKEN)
def test_a_bug_is_found_with_its_shortest_history(bug: Bug, law: str, broken: Broken, verdict_of: VerdictOf) -> None:
    """The law that it breaks says so, in one word and with no step too many."""
    verdict = verdict_of(bug.name, law)
    assert (verdict.outcome, verdict.verdict) == ("falsified", VERDICTS[law]), told(verdict)
    assert tuple((step.kind, step.date) for step in verdict.history or ()) == broken.history


@pytest.mark.parametrize(("bug", "law", "broken"), BROKEN)
def test_the_diff_of_a_bug_names_what_differs(bug: Bug, law: str, broken: Broken, verdict_of: VerdictOf) -> None:
    """The one table or file, its columns, and how many rows of which kind."""
    verdict = verdict_of(bug.name, law)
    assert verdict.diff is not None, told(verdict)
    assert [t.table for t in verdict.diff.tables] + [f.path for f in verdict.diff.files] == (
        [broken.where] if broken.where else []
    )
    for table in verdict.diff.tables:
        found = {kind: getattr(table, kind) for kind in ("added", "missing", "changed", "duplicated")}
        if broken.counts:
            assert {kind: number for kind, number in found.items() if number} == broken.counts, told(verdict)
        if broken.columns:
            assert table.columns == broken.columns
        if broken.rows:
            assert (table.rows_before, table.rows_after) == broken.rows
    for file in verdict.diff.files:
        assert file.change == "changed"
        assert file.detail.startswith(broken.detail or "")


@pytest.mark.parametrize(
    ("bug", "law"), [pytest.param(bug, law, id=f"{bug.name}-{law}") for bug in BUGS for law in bug.breaks]
)
def test_a_bug_is_laid_at_the_door_of_its_task(bug: Bug, law: str, verdict_of: VerdictOf) -> None:
    """With its file and a line in it, where the task is a Python function; nobody wrote what is not there."""
    written_by = verdict_of(bug.name, law).written_by
    if not bug.breaks[law].where:
        assert written_by is None
        return
    task, _, place = str(written_by).partition(", at ")
    assert task == f"task {bug.task}"
    if bug.name == "sql_operator_insert":
        assert place == ""
        return
    file, _, line = place.rpartition(":")
    assert Path(file) == DAGS / f"{bug.name}.py"
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    assert any(f"def {bug.task}(" in text for text in lines[int(line) - 1 : int(line) + 1])


@pytest.mark.parametrize(("bug", "law"), UNBROKEN)
def test_a_bug_breaks_no_law_but_its_own(bug: Bug, law: str, verdict_of: VerdictOf) -> None:
    """The other laws prove it, or say that they cannot tell; what they did not compare is named."""
    verdict = verdict_of(bug.name, law)
    assert verdict.outcome == ("not-applicable" if law in bug.not_applicable else "proven"), told(verdict)
    expected = {*IGNORED.get(bug.name, ()), *(bug.not_compared if law == "rerun" else ())}
    assert verdict.ignored == tuple(sorted(expected))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_dag_is_proven(name: str, law: str, verdict_of: VerdictOf) -> None:
    """By every law, over more than one history; what the configuration ignores is named in the verdict."""
    verdict = verdict_of(name, law)
    assert verdict.outcome == "proven", told(verdict)
    assert verdict.histories > 1
    assert verdict.ignored == IGNORED.get(name, ())
    assert verdict.noise == ()


def test_the_catalogue_is_complete() -> None:
    """Each DAG file is in it, and each law is broken by one of the bugs."""
    assert {path.stem for path in DAGS.glob("*.py")} == {bug.name for bug in BUGS} | set(HEALTHY)
    assert {law for bug in BUGS for law in bug.breaks} == set(LAWS) == {law.name for law in all_laws()}
