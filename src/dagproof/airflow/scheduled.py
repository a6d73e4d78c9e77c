"""The run that the scheduler would have made, or a person cleared, in the place of the one ``dag.test()`` makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

from dagproof.airflow import consumed, private
from dagproof.errors import DagproofError
from dagproof.inside.exchange import PlannedRun


@contextmanager
def scheduled(
    planned: PlannedRun, cleared_task: str = "", given: Mapping[str, object] = MappingProxyType({})
) -> Iterator[None]:
    """Let ``dag.test()`` work on the run that is `planned`; where it is there already, on the same run cleared.

    `cleared_task` clears only that task and all that come after it. `given` is the run's conf.
    """

    def get_or_create(*, dag: Any, session: Any, conf: Any, run_after: Any, **_: Any) -> Any:
        existing = _find_run(dag.dag_id, planned.run_id, session)
        if existing is None:
            return _created(dag, planned, {**(conf or {}), **given}, session)
        if existing.state == "queued":  # another DAG has triggered it, and it begins now
            return _started(existing, dag, session)
        return _cleared(existing, dag, session, cleared_task)

    with private.patched(get_or_create_dagrun=get_or_create, clear_dags=lambda *args, **kwargs: 0):
        yield


def moment(text: str | None) -> Any:
    """Return an ISO 8601 text as the kind of datetime that Airflow likes best; None for None."""
    import pendulum

    return pendulum.instance(datetime.fromisoformat(text)) if text else None


def _find_run(dag_id: str, run_id: str, session: Any) -> Any:
    from sqlalchemy import select

    DagRun = private.DagRun  # noqa: N806 - it is a class
    return session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))


def _created(dag: Any, planned: PlannedRun, conf: Any, session: Any) -> Any:
    kinds, by = private.DagRunType, private.DagRunTriggeredByType
    kind = kinds(planned.run_type)
    triggered = {
        kinds.SCHEDULED: by.TIMETABLE,
        kinds.ASSET_TRIGGERED: by.ASSET,
        kinds.BACKFILL_JOB: by.BACKFILL,
    }
    interval = planned.data_interval
    events = consumed.events(dag, planned, session)
    partition = consumed.partition(dag, planned.partition_key, moment(planned.partition_date), events)
    run = dag.create_dagrun(
        run_id=planned.run_id,
        logical_date=moment(planned.logical_date),
        data_interval=tuple(moment(end) for end in interval) if interval else None,
        run_after=moment(planned.run_after),
        conf=conf,
        run_type=kind,
        state=_running(),
        triggered_by=triggered.get(kind, by.REST_API),
        start_date=datetime.now(timezone.utc),
        session=session,
        **partition,
    )
    run.consumed_asset_events.extend(events)
    session.commit()
    return run


def _started(run: Any, dag: Any, session: Any) -> Any:
    run.dag = dag
    run.start_date = datetime.now(timezone.utc)
    run.set_state(_running())
    session.merge(run)
    session.commit()
    return run


def _cleared(run: Any, dag: Any, session: Any, task_id: str) -> Any:
    """Clear a run as the UI's Clear button does: the same run id, each task's next try.

    What a crash left running is failed first, as the scheduler does when a task's heartbeat stays away.
    """
    tis = list(run.get_task_instances(session=session))
    for ti in tis:
        if ti.state not in (None, private.TaskInstanceState.UP_FOR_RETRY, *private.State.finished):
            ti.state = private.TaskInstanceState.FAILED
    session.flush()
    if task_id:
        wanted = _with_downstream(dag, task_id)
        tis = [ti for ti in tis if ti.task_id in wanted]
    coming = private.clear_task_instances(tis, session, dag_run_state=False)
    for ti in tis if coming is None else coming:
        # Since Airflow 3.4 there is a new row for each try, which is counted already.
        tried = ti.try_number if coming is None else max(0, ti.try_number - 1)
        ti.max_tries = tried + dag.task_dict[ti.task_id].retries  # as this run has them, not the stored DAG
    run.clear_number += 1
    run.end_date = None
    return _started(run, dag, session)


def _with_downstream(dag: Any, task_id: str) -> set[str]:
    if task_id not in dag.task_dict:
        raise DagproofError(f"{dag.dag_id} has no task {task_id!r} to clear; it has {', '.join(dag.task_dict)}")
    # Airflow's own answer: setups and teardowns of what is cleared come along
    return set(dag.partial_subset(task_id, include_downstream=True, include_upstream=False).task_dict)


def _running() -> Any:
    return private.DagRunState.RUNNING
