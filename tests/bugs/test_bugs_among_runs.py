"""Each planted bug gets its verdict with the shortest history: of runs that are cut off, or meddle with each other."""

from __future__ import annotations

import pytest

from tests.bugs.catalogue import LAWS, Broken, Bug
from tests.bugs.claims import assert_broken, assert_healthy, broken_by, healthy_under
from tests.bugs.conftest import VerdictOf
from tests.bugs.test_bugs import HERE as ELSEWHERE

HERE = tuple(law for law in LAWS if law not in ELSEWHERE)


@pytest.mark.parametrize(("bug", "law", "broken"), broken_by(*HERE))
def test_a_bug_is_found_with_its_shortest_history(bug: Bug, law: str, broken: Broken, verdict_of: VerdictOf) -> None:
    """The law that it breaks says so, in one word, with no step too many, what differs, and who has done it."""
    assert_broken(bug, law, broken, verdict_of(bug.name, law))


@pytest.mark.parametrize(("name", "law"), healthy_under(*HERE))
def test_a_healthy_dag_is_proven(name: str, law: str, verdict_of: VerdictOf) -> None:
    """By every law that applies to it; a law that does not apply says why."""
    assert_healthy(name, verdict_of(name, law))


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "law"),
    [("not_again", "history"), ("not_again", "crash"), ("moved_input", "history"), ("lock_file", "crash")],
)
def test_a_run_that_fails_in_a_history_is_found_and_no_error(name: str, law: str, verdict_of: VerdictOf) -> None:
    """As long as each date can run at all: what fails is the last step of the history that is shown."""
    verdict = verdict_of(name, law)
    assert verdict.outcome == "falsified"
    assert verdict.history
    assert " failed" in verdict.headline
    if law == "crash":
        assert verdict.headline.startswith("A date that crashed cannot be run again: the rerun of")


def test_a_run_that_fails_when_it_is_repeated_is_found_by_rerun(verdict_of: VerdictOf) -> None:
    """And the error is in the headline."""
    verdict = verdict_of("not_again", "rerun")
    assert (verdict.outcome, verdict.verdict) == ("falsified", "non-idempotent")
    assert "failed in task load_orders: UniqueViolation" in verdict.headline
