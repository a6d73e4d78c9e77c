"""Let the real scheduler create runs of the DAGs in a folder, and print them beside those that dagproof plans.

Started in a process of its own, with an AIRFLOW_HOME of its own: ``scheduler_probe.py FOLDER LOOPS``. Prints one JSON
object: for each DAG the runs that the scheduler made, those that dagproof plans for the same moments, and the first of
each day by its bare date.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pendulum
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dagrun import DagRun
from airflow.utils import db
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from sqlalchemy import select

from dagproof.airflow import bundle
from dagproof.airflow.schedule import default_dates, run_for, scheduler_dag
from dagproof.errors import DagproofError

FIELDS = ("run_type", "run_id", "logical_date", "data_interval", "run_after", "partition_key", "partition_date")


def main(folder: Path, loops: int) -> None:
    """Print what the scheduler and what dagproof makes of the DAGs in `folder`."""
    db.initdb()
    dags, errors = bundle.all_dags(folder)
    assert not errors, errors
    bundle.sync_to_metadata(folder, dags)
    create_runs(loops)
    with create_session() as session:
        runs = session.scalars(select(DagRun).order_by(DagRun.run_after)).all()
        made = {dag_id: [described(run) for run in runs if run.dag_id == dag_id] for dag_id in dags}
    print(json.dumps({dag_id: compared(dags[dag_id], made[dag_id]) for dag_id in dags}))


def create_runs(loops: int) -> None:
    """Let the scheduler do what it does in each of its loops to create runs."""
    with create_session() as session:
        job = Job()
        session.add(job)
        session.commit()
        scheduler = SchedulerJobRunner(job=job)
        for _ in range(loops):
            with prohibit_commit(session) as guard:
                scheduler._create_dagruns_for_dags(guard, session)
                guard.commit()


def described(run: DagRun) -> dict[str, Any]:
    """What a task can see of a run."""
    interval = [run.data_interval_start, run.data_interval_end]
    return {
        "run_type": str(run.run_type),
        "run_id": run.run_id,
        "logical_date": iso(run.logical_date),
        "data_interval": [iso(end) for end in interval] if all(interval) else None,
        "run_after": iso(run.run_after),
        "partition_key": getattr(run, "partition_key", None),
        "partition_date": iso(getattr(run, "partition_date", None)),
    }


def compared(dag: Any, made: list[dict[str, Any]]) -> dict[str, Any]:
    """The scheduler's runs, and dagproof's for each one's logical date and for each day."""
    zone = scheduler_dag(dag).timezone
    first_of: dict[str, dict[str, Any]] = {}
    for run in made:
        day = datetime.fromisoformat(dated(run)).astimezone(zone).date().isoformat()
        first_of.setdefault(day, run)
    return {
        "made": made,
        "planned": [plan(dag, dated(run)) for run in made],
        "first_of": list(first_of.values()),
        "planned_by_day": [plan(dag, day) for day in first_of],
        "default_dates": [plan(dag, date) for date in default_dates(dag)],
    }


def plan(dag: Any, date: str) -> dict[str, Any]:
    """What dagproof plans for a date."""
    try:
        run = run_for(dag, date)
    except DagproofError as error:
        return {"error": str(error)}
    return {field: run.to_json().get(field) for field in FIELDS}


def dated(run: dict[str, Any]) -> str:
    """The date that a run is about."""
    return str(run["logical_date"] or run["partition_date"])


def iso(moment: Any) -> str | None:
    """A moment in UTC."""
    return moment and str(pendulum.instance(moment).in_timezone("UTC").isoformat())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
