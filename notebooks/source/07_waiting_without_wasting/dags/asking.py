"""Asks Airflow's own scheduler; nothing of it is kept."""

from __future__ import annotations

import contextlib
import inspect
import io


def starts_beside(sleeper: str, state: str, *, due: str, slots: int) -> list[str]:
    """Return which tasks of the DAG `due` the scheduler starts while the DAG `sleeper` has one task, in this state."""
    from airflow.executors.base_executor import BaseExecutor
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.models.pool import Pool
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, TaskInstanceState
    from sqlalchemy import select

    accepted = inspect.signature(SchedulerJobRunner.__init__).parameters
    executors = {"executors": [BaseExecutor(parallelism=32)]} if "executors" in accepted else {}
    with contextlib.redirect_stdout(io.StringIO()), create_session() as session:
        session.scalars(select(Pool)).one().slots = slots
        for dag in session.scalars(select(DagModel)):
            dag.is_paused = False
        for run in session.scalars(select(DagRun)):
            run.state = DagRunState.RUNNING
        for ti in session.scalars(select(TaskInstance).where(TaskInstance.dag_id == due)):
            ti.state = TaskInstanceState.SCHEDULED
        session.scalars(select(TaskInstance).where(TaskInstance.dag_id == sleeper)).first().state = state
        session.flush()
        scheduler = SchedulerJobRunner(job=Job(), **executors)
        queued = scheduler._executable_task_instances_to_queued(max_tis=32, session=session)
        names = [ti.task_id for ti in queued]
        session.rollback()
    return sorted(names)
