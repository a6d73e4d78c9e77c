"""Let the real scheduler make runs of our DAGs and look at their deadlines, some hours later.

Started in a process and an Airflow of its own, with the hours: ``deadline_probe.py 4``. Prints a JSON list: the DAG of
each run. The deadlines that were missed are the triggerer's after that, which is another process.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import time_machine
from airflow.jobs.job import Job, run_job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils import db
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from sqlalchemy import select, update

from dagproof.airflow import bundle

DAGS = Path(__file__).parents[3] / "dags"


def main(hours: float) -> None:
    """Make the runs so many hours ago, and then let the scheduler's loop go round twice."""
    db.initdb()
    dags, errors = bundle.all_dags(DAGS)
    assert not errors, errors
    bundle.sync_to_metadata(DAGS, dags)
    now = datetime.datetime.now(datetime.timezone.utc)
    with time_machine.travel(now - datetime.timedelta(hours=hours)):
        create_runs()
    with create_session() as session:  # nobody is to work on them
        session.execute(update(DagModel).values(is_paused=True))
    job = Job()
    run_job(job=job, execute_callable=SchedulerJobRunner(job=job, num_runs=2)._execute)
    with create_session() as session:
        runs = session.scalars(select(DagRun.dag_id)).all()
    print("\n" + json.dumps(sorted(runs)))


def create_runs() -> None:
    """Let the scheduler do what it does in its loop to create runs."""
    with create_session() as session:
        job = Job()
        session.add(job)
        session.commit()
        with prohibit_commit(session) as guard:
            SchedulerJobRunner(job=job)._create_dagruns_for_dags(guard, session)
            guard.commit()


if __name__ == "__main__":
    main(float(sys.argv[1]))
