"""DP204: a DAG with a schedule of time says whether it catches up."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look


@pytest.mark.parametrize(
    ("given", "is_found"),
    [
        ("schedule='@daily'", True),
        ("schedule='0 3 * * *'", True),
        ("schedule_interval='@hourly'", True),
        ("schedule=datetime.timedelta(hours=1)", True),
        ("schedule=CRON", True),
        ("schedule=CronDataIntervalTimetable('@daily', timezone='UTC')", True),
        ("schedule='@daily', catchup=False", False),
        ("schedule='@daily', catchup=CATCHUP", False),
        ("schedule=None", False),
        ("schedule='@once'", False),
        ("schedule='@continuous'", False),
        ("schedule=[Asset('a')]", False),
        ("schedule=Asset('a')", False),
        ("schedule=os.environ['SCHEDULE']", False),
        ("description='no schedule'", False),
        ("schedule='@daily', **os.environ", False),
        ("**{'schedule': '@daily', 'catchup': True}", False),
    ],
)
def test_a_schedule_of_time_needs_a_catchup(look: Look, given: str, is_found: bool) -> None:
    """Assets, no schedule and what can't be told don't."""
    top = "from airflow.sdk import Asset\nfrom airflow.timetables.interval import CronDataIntervalTimetable\n"
    top += "CRON = '@weekly'\nCATCHUP = True\n"
    for form in (f"with DAG('orders', {given}):\n    pass", f"@dag({given})\ndef orders(): pass\norders()"):
        assert bool(look(f"{HEAD}{top}{form}\n", "implicit-catchup")) == is_found, form


def test_a_factory_of_dags_is_told_where_it_is_called(look: Look) -> None:
    """With the way to the DAG in the helper."""
    files = {"factory.py": "from airflow.sdk import DAG\n\ndef make(name):\n    return DAG(name, schedule='@daily')\n"}
    (finding,) = look("from factory import make\n# airflow\ndag = make('a')\n", "implicit-catchup", files)
    assert (finding.line, [step.path for step in finding.via]) == (3, ["dags/factory.py"])
