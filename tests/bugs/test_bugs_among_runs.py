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
