"""No DAG with a known fault is proven by the law that it violates, and no healthy twin of one is accused."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from dagproof.laws import all_laws
from dagproof.runs.driver import Driver
from tests.soundness.drawing import DRAWN, drawn
from tests.soundness.faults import FAULTS
from tests.soundness.judging import judged, open_judge
from tests.soundness.model import PSYCOPG, Sql
from tests.soundness.table import DOCUMENT

CASES = [case for number in range(DRAWN) for case in drawn(number)]
#: Some of each kind that take a second each; the others are left to the deep tests.
QUICK = frozenset(
    {
        *("sick_002", "sick_016", "sick_019", "sick_036", "sick_046", "sick_055", "sick_060", "sick_077"),
        *("twin_016", "twin_019", "twin_036", "twin_060"),
    }
)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One driver for all DAGs that are drawn."""
    with open_judge(CASES, tmp_path_factory.mktemp("soundness")) as driver:
        yield driver


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(
            number,
            id=f"{case.dag_id}-{case.fault.name}",
            marks=[] if case.dag_id in QUICK else [pytest.mark.deep],
        )
        for number, case in enumerate(CASES)
    ],
)
def test_a_fault_is_found_and_its_twin_is_not_accused(number: int, judge: Driver) -> None:
    """Of a DAG with a fault, the law that was drawn falsifies it; or a verdict says what the harness does not see."""
    case = CASES[number]
    outcome = judged(case, judge)
    assert not outcome.problem, f"{outcome.problem}\n\n{case.source}"


def test_enough_is_drawn() -> None:
    """At least 300 DAGs, each fault twice, and what is drawn is the same each time."""
    assert len(CASES) >= 300
    assert len({case.dag_id for case in CASES}) == len(CASES)
    assert {case.dag_id for case in CASES} >= QUICK
    assert drawn(17) == drawn(17)
    random.seed(1)
    assert drawn(18)[0].source == drawn(18)[0].source


def test_faults_are_of_every_law() -> None:
    """Each law but `history` has to find some; what no law can find has to be said."""
    assert {law for fault in FAULTS for law in fault.laws} == {law.name for law in all_laws()} - {"history"}
    assert all(bool(fault.laws) or bool(fault.said) for fault in FAULTS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25


def test_a_twin_is_not_sick() -> None:
    """The same load without the fault, with the same operator and the same loads beside it."""
    for sick, twin in zip(CASES[::2], CASES[1::2], strict=True):
        assert sick.source.replace(sick.dag_id, "it") != twin.source.replace(twin.dag_id, "it")
        assert sick.writes == twin.writes


def test_every_operator_and_place_is_drawn() -> None:
    """A fault in SQL comes by each of its operators."""
    sources = "\n".join(case.source for case in CASES)
    for word in ("PostgresHook", PSYCOPG, "SQLExecuteQueryOperator", ".expand(", "BashOperator", "Path.home()"):
        assert word in sources
    assert any(isinstance(fault.sick, Sql) for fault in FAULTS)


def test_the_page_has_each_fault() -> None:
    """`python -m tests.soundness.table` writes it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.count(" | ") == 5][1:] == [
        fault.name for fault in FAULTS
    ]
