"""Each planted bug gets its verdict with the shortest history: of one run, or of several one after the other."""

from __future__ import annotations

import pytest

from dagproof.laws import all_laws
from dagproof.runs.scope import sentences
from tests.bugs.catalogue import BUGS, HEALTHY, IGNORED, LAWS, VERDICTS, Broken, Bug
from tests.bugs.claims import DAGS, assert_broken, assert_healthy, broken_by, healthy_under, told, unbroken
from tests.bugs.conftest import VerdictOf

HERE = ("effect", "deterministic", "clock", "rerun", "retry")


@pytest.mark.parametrize(("bug", "law", "broken"), broken_by(*HERE))
def test_a_bug_is_found_with_its_shortest_history(bug: Bug, law: str, broken: Broken, verdict_of: VerdictOf) -> None:
    """The law that it breaks says so, in one word, with no step too many, what differs, and who has done it."""
    assert_broken(bug, law, broken, verdict_of(bug.name, law))


def test_who_asked_for_the_time_is_named(verdict_of: VerdictOf) -> None:
    """With the line of the user's own code."""
    (asked,) = verdict_of("age_today", "clock").asked
    assert asked.startswith("the time, at ")
    assert "age_today.py:21: " in asked
    assert "datetime.now(timezone.utc)" in asked


def test_the_verdict_says_how_generated_keys_were_compared(verdict_of: VerdictOf) -> None:
    """By value where something else has them, with what to configure if that is a foreign key."""
    said = sentences(verdict_of("notes_of_old_ids", "rerun").left_out)
    assert (
        "sales.id compared by value, as it leaves its table: sale_notes.sale_id; if that refers to the key, configure "
        '{ "sale_notes.sale_id" = "sales.id" } (generated_keys)'
    ) in said
    said = sentences(verdict_of("renumbered_with_children", "rerun").left_out)
    assert "sale_lines.id, sales.id compared up to other generated values (generated_keys)" in said
    said = sentences(verdict_of("identity_on_reload", "rerun").left_out)
    assert "numbered_orders.id compared by value, as configured (generated_keys)" in said


def test_the_verdict_says_which_keys_are_compared_by_value_among_others(verdict_of: VerdictOf) -> None:
    """Those that the runs choose, beside others that the database generates."""
    said = sentences(verdict_of("unknown_sale", "rerun").left_out)
    assert any("sales.id compared up to other" in text and "that the runs choose" in text for text in said), said


def test_the_verdict_says_why_a_table_of_versions_is_compared_as_a_whole(verdict_of: VerdictOf) -> None:
    """None of its rows is current, so that its end says something else."""
    said = sentences(verdict_of("bookings_added_once", "correction").left_out)
    assert "bookings compared as a whole, as none of its rows is current (valid_to) (history)" in said


@pytest.mark.parametrize(("name", "law"), healthy_under(*HERE))
def test_a_healthy_dag_is_proven(name: str, law: str, verdict_of: VerdictOf) -> None:
    """By every law that applies to it; a law that does not apply says why."""
    assert_healthy(name, verdict_of(name, law))


@pytest.mark.deep
@pytest.mark.parametrize(("bug", "law"), unbroken())
def test_a_bug_breaks_no_law_but_its_own(bug: Bug, law: str, verdict_of: VerdictOf) -> None:
    """The other laws prove it, or say that they cannot tell; what they did not compare is named."""
    verdict = verdict_of(bug.name, law)
    expected = ("not-applicable",) if law in bug.not_applicable else ("proven", "not-applicable")
    assert verdict.outcome in expected, told(verdict)
    if law == "rerun":
        assert verdict.ignored == tuple(sorted({*IGNORED.get(bug.name, ()), *bug.not_compared}))


def test_the_catalogue_is_complete() -> None:
    """Each DAG file is in it, and each law is broken by several of the bugs."""
    assert {path.stem for path in DAGS.glob("*.py")} == {bug.name for bug in BUGS} | set(HEALTHY)
    assert set(LAWS) == set(VERDICTS) == {law.name for law in all_laws()}
    for law in LAWS:
        assert sum(law in bug.breaks for bug in BUGS) >= 3, law
        assert any(next(iter(bug.breaks)) == law for bug in BUGS), law


def test_a_bug_is_not_its_own_twin() -> None:
    """What is healthy breaks no law, and there is a good number of both."""
    assert not {bug.name for bug in BUGS} & set(HEALTHY)
    assert len(BUGS) >= 40
    assert len(HEALTHY) >= 15
