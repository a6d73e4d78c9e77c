"""The run that a DAG sees under proof is the one that the scheduler would have made: asked of the scheduler itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dagproof.loaded.deployment import _line, airflow_version

FOLDER = Path(__file__).parent
LOOPS = 8

Runs = dict[str, dict[str, list[dict[str, Any]]]]

SEASONAL = ("0130", "0230", "midnight", "hourly", "interval_0230", "interval_hourly", "two_crons", "12_hours")
NAMES = [
    "cron",
    "preset_daily",
    "preset_hourly",
    "preset_weekly",
    "preset_monthly",
    "preset_yearly",
    "leap_days",
    "workdays",
    "quarters",
    "start_within_the_day",
    "every_6_hours",
    "every_6_hours_off_the_hour",
    "every_10_days",
    "delta_interval",
    "delta_trigger",
    "cron_interval",
    "cron_interval_weekly",
    "cron_interval_monthly",
    "cron_trigger_with_interval",
    "two_crons",
    *(f"{s}_{zone}_{name}" for s in ("spring", "autumn") for zone in ("berlin", "new_york") for name in SEASONAL),
]

ODD_SCHEDULES = ("leap_days", "preset_yearly", "preset_monthly", "cron_interval_monthly")
PARTITIONED = ("daily", "day_before", "weeks_ahead", "monthly", "hourly")
CLOCKS = ("partition_day_before", "partition_monthly", "partition_hourly")
if _line(airflow_version() or "") >= (3, 2):
    NAMES += [f"partition_{name}" for name in PARTITIONED]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """What the scheduler and what dagproof made of the DAGs in dags/schedules.py."""
    home = tmp_path_factory.mktemp("scheduler")
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": "1000",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [
                {
                    "name": "dagproof",
                    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                    "kwargs": {"path": str(FOLDER / "dags")},
                }
            ]
        ),
        "TZ": "UTC",
    }
    arguments = [sys.executable, str(FOLDER / "scheduler_probe.py"), str(FOLDER / "dags"), str(LOOPS)]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    found: Runs = json.loads(done.stdout.splitlines()[-1])
    return found


def moment(text: str | None) -> datetime | None:
    """What a text stands for."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def date_of(run: dict[str, Any]) -> datetime:
    """The date that a run is about."""
    found: datetime = run["logical_date"] or run["partition_date"]
    return found


def moments(runs_of_a_dag: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs with their moments as moments: whether one writes Z or +00:00 does not matter."""
    assert [run["error"] for run in runs_of_a_dag if "error" in run] == []
    return [
        {
            **run,
            "run_id": re.sub(f"(__{run['partition_key']})__\\w+$", r"\1", run["run_id"]),  # random letters
            "logical_date": moment(run["logical_date"]),
            "run_after": moment(run["run_after"]),
            "data_interval": [moment(end) for end in run["data_interval"] or ()],
            "partition_date": moment(run["partition_date"]),
        }
        for run in runs_of_a_dag
    ]


def test_there_is_a_test_for_each_schedule(runs: Runs) -> None:
    """And the scheduler made runs of each."""
    assert set(runs) >= set(NAMES)
    assert {name for name in NAMES if len(runs[name]["made"]) < (1 if name in ODD_SCHEDULES else LOOPS)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_planned_run_is_the_schedulers(name: str, runs: Runs) -> None:
    """Type, id, logical date, data interval and the time from which it may start, for each run of the chain."""
    assert moments(runs[name]["planned"]) == moments(runs[name]["made"])
    assert {run["run_type"] for run in runs[name]["planned"]} == {"scheduled"}


@pytest.mark.parametrize("name", NAMES)
def test_a_bare_date_is_the_first_run_of_that_day(name: str, runs: Runs) -> None:
    """In the time zone of the DAG."""
    assert moments(runs[name]["planned_by_day"]) == moments(runs[name]["first_of"])


@pytest.mark.parametrize("name", NAMES)
def test_the_default_dates_begin_with_the_schedulers_first_two(name: str, runs: Runs) -> None:
    """Three of them, in order, and each one another run; where the clocks change, they are around that, or one more."""
    dates = moments(runs[name]["default_dates"])
    if any(zone in name for zone in ("berlin", "new_york", *CLOCKS)):
        assert len(dates) in (3, 4)
    else:
        assert dates[:2] == moments(runs[name]["made"][:2])
        assert len(dates) == 3
    assert [date_of(run) for run in dates] == sorted({date_of(run) for run in dates})


def test_the_clocks_do_change_in_these_tests(runs: Runs) -> None:
    """Else they would show nothing: a day of 23 hours in spring, and one of 25 in autumn."""
    for season, hours in (("spring", 23), ("autumn", 25)):
        for zone in ("berlin", "new_york"):
            starts = [run["logical_date"] for run in moments(runs[f"{season}_{zone}_midnight"]["made"])]
            lengths = {(b - a).total_seconds() / 3600 for a, b in pairwise(starts)}
            assert lengths == {24, hours}
