"""Cases about what starts a run, when it is, and what a file needs to be imported."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.integration.cases.conftest import Case

pytestmark = pytest.mark.slow

Cases = Callable[[str], Case]


def with_default_dates(case: Case) -> Case:
    """The same without dates in the configuration."""
    path = case.root / "pyproject.toml"
    path.write_text(re.sub(r"^dates = .*\n", "", path.read_text(), flags=re.MULTILINE))
    return case


def test_asset_events_a_consumer_of_events_is_proven(case: Cases) -> None:
    """It finds the events, with their extras, of the producer that ran first."""
    ended = case("asset_events").prove("consumer_good", "effect", "rerun", "order")
    assert ended.status == 0, ended.out
    assert {verdict["outcome"] for verdict in ended.verdicts().values()} == {"proven"}


@pytest.mark.deep
def test_asset_events_a_consumer_of_ds_is_told_that_it_has_none(case: Cases) -> None:
    """As before."""
    ended = case("asset_events").prove("consumer_bad", "rerun", output="text")
    assert ended.status != 0
    assert "failed in task mart" in ended.out
    assert "'ds' is undefined (a run that an asset triggers has no logical_date and no ds;" in ended.out


def test_variable_at_import_names_the_setting(case: Cases) -> None:
    """And the file, as the user writes its path."""
    ended = case("variable_at_import").prove("variable_bad", "rerun")
    assert ended.status == 2
    assert ended.err == (
        "dagproof: variable_bad does not load: dags/variable_bad.py:7: the variable 'shop_settings' is not set: "
        'add shop_settings = "…" to variables in [tool.dagproof.world]\n'
    )


@pytest.mark.deep
def test_variable_at_import_in_the_task_is_proven(case: Cases) -> None:
    """The one that looks it up in its task, and has it."""
    ended = case("variable_at_import").prove("variable_good", "effect", "rerun")
    assert ended.status == 0, ended.out


@pytest.mark.parametrize(("dag_id", "status"), [("dst_bad", 1), pytest.param("dst_good", 0, marks=pytest.mark.deep)])
def test_day_of_23_hours_is_among_the_default_dates(dag_id: str, status: int, case: Cases) -> None:
    """A local day plus 24 hours reaches into the next one, once a year."""
    ended = with_default_dates(case("day_of_23_hours")).prove(dag_id, "effect", "containment")
    assert ended.status == status, ended.out + ended.err
    assert ended.verdicts()["containment"]["outcome"] == ("falsified" if status else "proven")
