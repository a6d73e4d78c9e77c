"""Asks Airflow's own scheduler; nothing of it is kept."""

from __future__ import annotations

import contextlib
import inspect
import io


def starts_at_once(dag_id: str, **pools: int) -> list[str]:
    """Return which tasks of a DAG the scheduler starts at once, were all tasks of its last run due now.

    `pools` are pools with their numbers of slots.
    """
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
        for name, slots in pools.items():
            Pool.create_or_update_pool(name, slots=slots, description="", include_deferred=False, session=session)
        session.get(DagModel, dag_id).is_paused = False
        for run in session.scalars(select(DagRun).where(DagRun.dag_id == dag_id)):
            run.state = DagRunState.RUNNING
        for ti in session.scalars(select(TaskInstance).where(TaskInstance.dag_id == dag_id)):
            ti.state = TaskInstanceState.SCHEDULED
        session.flush()
        scheduler = SchedulerJobRunner(job=Job(), **executors)
        queued = scheduler._executable_task_instances_to_queued(max_tis=32, session=session)
        names = [ti.task_id + (f"[{ti.map_index}]" if ti.map_index >= 0 else "") for ti in queued]
        session.rollback()
    return sorted(names)
