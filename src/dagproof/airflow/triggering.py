"""Runs of other DAGs that a run triggers: each happens as soon as time goes on, in a process of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from dagproof.airflow import private
from dagproof.errors import DagproofError
from dagproof.inside.clock import Arrival, Clock
from dagproof.inside.exchange import PlannedRun, RunOptions, RunReport, RunRequest


def triggered_ids(dag: Any) -> dict[str, str]:
    """Return the tasks that trigger DAGs, each with the id of its DAG, as far as that stands in the file."""
    ids = {task.task_id: getattr(task, "trigger_dag_id", None) for task in dag.tasks}
    return {task: dag_id for task, dag_id in sorted(ids.items()) if isinstance(dag_id, str) and "{{" not in dag_id}


@contextmanager
def triggered_runs(request: RunRequest, clock: Clock, ask: Callable[[RunRequest], RunReport]) -> Iterator[None]:
    """Let the runs happen that tasks trigger; `ask` has the worker run another DAG, for the run that `request` wants.

    A run that fails ends the one that has triggered it: what it should have written is part of what is proven.
    """
    original = private.trigger_dag_run
    numbers = itertools.count(1)

    def happen(dag_id: str, run_id: str) -> None:
        watch = request.options.watch
        report = ask(
            replace(
                request,
                run=_planned(dag_id, run_id),
                clock=datetime.now(timezone.utc).isoformat(),
                result=str(Path(request.result).with_suffix(f".triggered-{next(numbers)}.json")),
                options=RunOptions(watch=replace(watch, of=f" of {dag_id}") if watch else None),
                triggered=True,
            )
        )
        if report.state != "success":
            failed = [failure for failure in report.failures if not failure.wanted]
            why = f" in task {failed[0].task_id}: {failed[0].error}" if failed else f": {report.reason}"
            raise DagproofError(f"{dag_id}, which it triggers, failed{why}")

    def trigger(self: Any, dag_id: str, run_id: str, *args: Any, **kwargs: Any) -> Any:
        answer = original(self, dag_id, run_id, *args, **kwargs)
        if getattr(answer, "error", None) is None:
            clock.expect(Arrival(datetime.now(timezone.utc), partial(happen, dag_id, run_id)))
        return answer

    for dag_id, run_id in () if request.triggered else _left_behind():
        clock.expect(Arrival(datetime.fromisoformat(request.clock), partial(happen, dag_id, run_id)))
    with private.patched(trigger_dag_run=trigger):
        yield


def _left_behind() -> list[tuple[str, str]]:
    """Return the runs that were triggered and never happened: by a run that was killed before."""
    from sqlalchemy import select

    DagRun = private.DagRun  # noqa: N806 - it is a class
    with private.create_session() as session:
        is_queued = DagRun.state == private.DagRunState.QUEUED
        queued = select(DagRun.dag_id, DagRun.run_id).where(is_queued).order_by(DagRun.id)
        return [(dag_id, run_id) for dag_id, run_id in session.execute(queued)]


def _planned(dag_id: str, run_id: str) -> PlannedRun:
    """Return the run that Airflow has made, as :func:`dagproof.airflow.schedule.run_for` describes one."""
    from sqlalchemy import select

    DagRun = private.DagRun  # noqa: N806 - it is a class
    with private.create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)).one()
        start, end = run.data_interval_start, run.data_interval_end
        return PlannedRun(
            dag_id,
            run_id,
            run_type=str(getattr(run.run_type, "value", run.run_type)),
            run_after=run.run_after.isoformat(),
            logical_date=run.logical_date.isoformat() if run.logical_date else None,
            data_interval=(start.isoformat(), end.isoformat()) if start and end else None,
        )
