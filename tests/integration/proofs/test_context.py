"""What a task sees of its run under proof is what the scheduler would have made it see."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dagproof.config import Config, WorldConfig
from dagproof.histories import Step
from dagproof.runs.driver import open_driver
from dagproof.stores.snapshot import Snapshot

DAGS = """
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

try:
    from airflow.sdk import CronDataIntervalTimetable
except ImportError:
    from airflow.timetables.interval import CronDataIntervalTimetable


def write(ds=None, ts=None, data_interval_start=None, data_interval_end=None, run_id=None, dag_run=None,
          logical_date=None, ti=None):
    seen = {
        "ds": ds,
        "ts": ts,
        "data_interval": [str(data_interval_start), str(data_interval_end)],
        "run_id": run_id,
        "run_type": str(getattr(dag_run.run_type, "value", dag_run.run_type)),
        "logical_date": str(logical_date),
        "run_after": str(dag_run.run_after),
        "try_number": ti.try_number,
        "now": datetime.now(timezone.utc).isoformat(),
    }
    Path(os.environ["DATA_ROOT"], "seen.json").write_text(json.dumps(seen))


async def complain(context):
    raise AssertionError("nobody looks at deadlines here")


deadline = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
    interval=timedelta(hours=1),
    callback=AsyncCallback(f"{__name__}.complain"),
)

for dag_id, schedule, zone in (
    ("context_daily", "@daily", "UTC"),
    ("context_interval", CronDataIntervalTimetable("30 2 * * *", timezone="Europe/Berlin"), "Europe/Berlin"),
    ("context_manual", None, "UTC"),
    ("context_continuous", "@continuous", "UTC"),
):
    with DAG(
        dag_id,
        schedule=schedule,
        start_date=pendulum.datetime(2026, 3, 1, tz=zone),
        deadline=deadline,
        max_active_runs=1,
    ) as dag:
        task(write)()
    globals()[dag_id] = dag
"""

CASES = [
    pytest.param(
        "context_daily",
        "2026-03-29",
        {
            "ds": "2026-03-29",
            "ts": "2026-03-29T00:00:00+00:00",
            "data_interval": ["2026-03-29 00:00:00+00:00", "2026-03-29 00:00:00+00:00"],
            "run_id": "scheduled__2026-03-29T00:00:00+00:00",
            "run_type": "scheduled",
            "logical_date": "2026-03-29 00:00:00+00:00",
            "run_after": "2026-03-29 00:00:00+00:00",
        },
        id="daily",
    ),
    pytest.param(
        "context_interval",
        "2026-03-28",  # the clocks change in its interval: it ends at 3:30 of the next day, there being no 2:30
        {
            "ds": "2026-03-28",
            "ts": "2026-03-28T01:30:00+00:00",
            "data_interval": ["2026-03-28 01:30:00+00:00", "2026-03-29 01:30:00+00:00"],
            "run_type": "scheduled",
            "logical_date": "2026-03-28 01:30:00+00:00",
            "run_after": "2026-03-29 01:30:00+00:00",
        },
        id="interval-over-a-change-of-the-clocks",
    ),
    pytest.param(
        "context_manual",
        "2026-03-29",
        {"ds": "2026-03-29", "run_type": "manual", "logical_date": "2026-03-29 00:00:00+00:00"},
        id="without-a-schedule",
    ),
    pytest.param(
        "context_continuous",
        "2026-03-29",
        {
            "ds": "2026-03-29",
            "run_type": "scheduled",
            "data_interval": ["2026-03-29 00:00:00+00:00", "2026-03-30 00:00:00+00:00"],
            "run_after": "2026-03-30 00:00:00+00:00",
        },
        id="continuous",
    ),
]

Seen = Callable[[str, str], tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]


def content(snapshot: Snapshot) -> dict[str, Any]:
    """What the task wrote down."""
    seen: dict[str, Any] = json.loads(snapshot.files["seen.json"].content or b"")
    return seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the plan of a run, what its task saw, and what it saw when it was run again."""
    root: Path = tmp_path_factory.mktemp("context")
    (root / "dags").mkdir()
    (root / "dags" / "context.py").write_text(DAGS)
    config = Config(root=root, world=WorldConfig(env={"DATA_ROOT": "{files}"}))
    with open_driver(config) as driver:

        def of(dag_id: str, date: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
            lab = driver.lab(dag_id, [date] if date else [])
            date = date or lab.dates[0]
            history = (Step("run", date), Step("rerun", date))
            plan = lab.runs[dag_id, date].to_json()
            return plan, content(lab.state(history[:1])), content(lab.state(history))

        yield of


@pytest.mark.parametrize(("dag_id", "date", "expected"), CASES)
def test_a_task_sees_the_scheduled_run(dag_id: str, date: str, expected: dict[str, Any], seen: Seen) -> None:
    """Its dates, its interval, its id and its type; run again, all the same but the number of the try."""
    plan, first, again = seen(dag_id, date)
    assert {name: first[name] for name in expected} == expected
    assert first["run_id"] == plan["run_id"]
    assert [datetime.fromisoformat(text) for text in first["data_interval"]] == [
        datetime.fromisoformat(text) for text in plan["data_interval"]
    ]
    assert (first["try_number"], again["try_number"]) == (1, 2)
    same = set(first) - {"try_number", "now"}
    assert {name: again[name] for name in same} == {name: first[name] for name in same}


def test_a_dag_that_runs_continuously_has_dates(seen: Seen) -> None:
    """The first three days, though nobody knows before when its runs will begin."""
    plan, _, _ = seen("context_continuous", "")
    assert plan["date"] == "2026-03-01"


def test_a_run_happens_when_it_is_due_and_again_a_day_later(seen: Seen) -> None:
    """By the wall clock that the task sees."""
    _, first, again = seen("context_interval", "2026-03-28")
    assert first["now"].startswith("2026-03-29T01:31:0")
    elapsed = datetime.fromisoformat(again["now"]) - datetime.fromisoformat(first["now"])
    assert 24 <= elapsed.total_seconds() / 3600 <= 26
