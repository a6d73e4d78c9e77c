"""One run of one DAG, in a forked child: ``dag.test()`` on the run that the scheduler would have made."""

from __future__ import annotations

import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagproof.airflow import compat, engine
from dagproof.errors import DagproofError
from dagproof.worlds.clock import Clock
from dagproof.worlds.machine import Machine

#: Libraries that tasks import when they run, slow to import and safe to have imported before a fork.
PRELOADED = {
    "numpy",
    "pandas",
    "pandera",
    "pyarrow",
    "psycopg",
    "psycopg2",
    "sqlalchemy",
    "httpx",
    "requests",
    "pydantic",
    "airflow",
}

#: How often in a row a run may have nothing to do, and nothing due either, before it is called stuck.
MAX_IDLE_ROUNDS = 5


class StuckError(DagproofError):
    """No task of the run can ever start."""


def run_in_child(dag: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run `dag` once inside its world and return what happened, as JSON-ready values.

    `request` holds ``run`` (what :func:`dagproof.airflow.schedule.run_for` gave), ``clock`` (where the wall clock
    starts), ``machine``, ``cwd`` and ``watch`` (whether to call
    :func:`dagproof.worlds.snapshot.save_after_task` after each task).
    """
    Machine(**request["machine"]).become()
    os.chdir(request["cwd"])
    _reseed()
    tasks: list[dict[str, Any]] = []
    known = set(sys.modules)
    started = time.perf_counter()
    state, reason = "failed", None
    try:
        with engine.without_bundle_sync(), _scheduled(request["run"]), _reported(tasks, request), _named_lookups():
            run = _Run(dag, request["run"]["run_id"])
            clock = Clock(datetime.fromisoformat(request["clock"]), next_due=run.next_due)
            clock.start()
            state = run.execute(_moment(request["run"]["logical_date"]), _moment(request["run"]["run_after"]))
    except DagproofError as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc()
        reason = f"the run could not start: {_describe(error)}"
    return {
        "state": state,
        "reason": reason,
        "tasks": tasks,
        "imported": [name for name in sys.modules if name not in known and name.partition(".")[0] in PRELOADED],
        "ended": datetime.now(timezone.utc).isoformat(),
        "seconds": time.perf_counter() - started,
    }


def rehearse(dag: Any, run: dict[str, Any]) -> str:
    """Run `dag` in this process, without a world, and return how it ended."""
    with engine.without_bundle_sync(), _scheduled(run), _reported([], {}), _named_lookups():
        return _Run(dag, run["run_id"]).execute(_moment(run["logical_date"]), _moment(run["run_after"]))


class _Run:
    """A run in progress: executes it and knows what it waits for."""

    def __init__(self, dag: Any, run_id: str) -> None:
        self.dag, self.run_id = dag, run_id
        self._idle_rounds = 0

    def execute(self, logical_date: datetime | None, run_after: datetime | None) -> str:
        state = self.dag.test(logical_date=logical_date, run_after=run_after).state
        return str(getattr(state, "value", state))

    def next_due(self) -> datetime | None:
        """Return when the next retry or rescheduled sensor is due; None while a task is running (it sleeps itself)."""
        if _Task.running:
            return None
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from airflow.utils.state import TaskInstanceState
        from sqlalchemy import select

        with create_session() as session:
            tis = session.scalars(
                select(TaskInstance).where(TaskInstance.dag_id == self.dag.dag_id, TaskInstance.run_id == self.run_id)
            ).all()
            due = [_retry_date(ti, self.dag) for ti in tis if ti.state == TaskInstanceState.UP_FOR_RETRY]
            due += [_reschedule_date(ti, session) for ti in tis if ti.state == TaskInstanceState.UP_FOR_RESCHEDULE]
            waiting = sorted(ti.task_id for ti in tis if ti.state is None)
        known = [moment for moment in due if moment is not None]
        self._idle_rounds = 0 if known else self._idle_rounds + 1
        if self._idle_rounds > MAX_IDLE_ROUNDS:
            raise StuckError(
                f"no task of the run can start: {', '.join(waiting) or 'all'} wait for what never comes (an unmet "
                f"depends_on_past, or a person's input)"
            )
        return min(known) if known else None


def _retry_date(ti: Any, dag: Any) -> datetime | None:
    ti.task = dag.task_dict[ti.task_id]
    return ti.next_retry_datetime()  # type: ignore[no-any-return]


def _reschedule_date(ti: Any, session: Any) -> datetime | None:
    from airflow.models.taskreschedule import TaskReschedule
    from sqlalchemy import select

    return session.scalar(  # type: ignore[no-any-return]
        select(TaskReschedule.reschedule_date)
        .where(TaskReschedule.ti_id == ti.id)
        .order_by(TaskReschedule.id.desc())
        .limit(1)
    )


class _Task:
    """Whether a task is running in this process just now."""

    running = False


@contextmanager
def _scheduled(spec: dict[str, Any]) -> Iterator[None]:
    """Let ``dag.test()`` work on the run that the scheduler would have made, or on the same run cleared."""

    def get_or_create(*, dag: Any, session: Any, conf: Any, run_after: Any, **_: Any) -> Any:
        existing = _find_run(dag.dag_id, spec["run_id"], session)
        return _cleared(existing, dag, session) if existing else _created(dag, spec, conf, session)

    with (
        patch("airflow.models.dagrun.get_or_create_dagrun", get_or_create),
        patch.object(compat.serialized_dag(), "clear_dags", lambda *args, **kwargs: 0),
    ):
        yield


def _find_run(dag_id: str, run_id: str, session: Any) -> Any:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    return session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))


def _created(dag: Any, spec: dict[str, Any], conf: Any, session: Any) -> Any:
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    kind = DagRunType(spec["run_type"])
    triggered = {
        DagRunType.SCHEDULED: DagRunTriggeredByType.TIMETABLE,
        DagRunType.ASSET_TRIGGERED: DagRunTriggeredByType.ASSET,
    }
    interval = spec["data_interval"]
    return dag.create_dagrun(
        run_id=spec["run_id"],
        logical_date=_moment(spec["logical_date"]),
        data_interval=tuple(_moment(end) for end in interval) if interval else None,
        run_after=_moment(spec["run_after"]),
        conf=conf,
        run_type=kind,
        state=_running(),
        triggered_by=triggered.get(kind, DagRunTriggeredByType.REST_API),
        start_date=datetime.now(timezone.utc),
        session=session,
    )


def _cleared(run: Any, dag: Any, session: Any) -> Any:
    """Clear a finished run as the UI's Clear button does: the same run id, each task's next try."""
    from airflow.models.taskinstance import clear_task_instances

    clear_task_instances(list(run.get_task_instances(session=session)), session, dag_run_state=False)
    run.dag = dag
    run.clear_number += 1
    run.start_date, run.end_date = datetime.now(timezone.utc), None
    run.set_state(_running())
    session.merge(run)
    session.commit()
    return run


def _running() -> Any:
    from airflow.utils.state import DagRunState

    return DagRunState.RUNNING


@contextmanager
def _reported(tasks: list[dict[str, Any]], request: dict[str, Any]) -> Iterator[None]:
    """Note each task's outcome, and snapshot the stores after it when the request says so."""
    from airflow.sdk.definitions import dag as module

    original: Callable[..., Any] = module._run_task
    after_task = _watcher(request.get("watch"))

    def run_task(*, ti: Any, task: Any, **kwargs: Any) -> Any:
        _Task.running = True
        result = None
        try:
            result = original(ti=ti, task=task, **kwargs)
        finally:
            _Task.running = False
            tasks.append(_outcome(ti, task, result))
        after_task(tasks[-1])
        return result

    with patch.object(module, "_run_task", run_task):
        yield


def _watcher(watch: dict[str, Any] | None) -> Callable[[dict[str, Any]], None]:
    if watch is None:
        return lambda outcome: None
    from dagproof.worlds.snapshot import save_after_task

    return lambda outcome: save_after_task(watch, f"{outcome['task_id']}", outcome["map_index"])


def _outcome(ti: Any, task: Any, result: Any) -> dict[str, Any]:
    error = getattr(result, "error", None)
    return {
        "task_id": ti.task_id,
        "map_index": ti.map_index,
        "try_number": ti.try_number,
        "state": str(getattr(ti.state, "value", ti.state)) if ti.state else None,
        "where": source_of(task),
        "error": _describe(error) if error is not None else None,
    }


def _describe(error: BaseException) -> str:
    """Return the error in one line, without the SQL statement that SQLAlchemy appends."""
    text = " ".join(str(error).split("\n[SQL:")[0].split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def source_of(task: Any) -> str | None:
    """Return ``file.py:line`` of the code that a task runs, where it is a Python callable."""
    function = getattr(task, "python_callable", None)
    while function is not None and (inner := getattr(function, "func", None) or getattr(function, "__wrapped__", None)):
        function = inner
    if function is None:
        return None
    try:
        file = inspect.getsourcefile(function)
        return f"{file}:{function.__code__.co_firstlineno}" if file else None
    except (TypeError, AttributeError):
        return None


@contextmanager
def _named_lookups() -> Iterator[None]:
    """Make a look-up of what the world does not have say how to map it."""
    from airflow.sdk.definitions.connection import Connection
    from airflow.sdk.definitions.variable import Variable
    from airflow.sdk.exceptions import AirflowRuntimeError

    get_connection, get_variable = Connection.get, Variable.get

    def connection(cls: Any, conn_id: str) -> Any:
        try:
            return get_connection(conn_id)
        except Exception as error:
            if "isn't defined" in str(error):
                error.args = (
                    f'the connection {conn_id!r} is not mapped: add {conn_id} = "…" to connections in '
                    f"[tool.dagproof.world] (The conn_id `{conn_id}` isn't defined)",
                )
            raise

    def variable(cls: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return get_variable(key, *args, **kwargs)
        except AirflowRuntimeError as error:
            error.args = (f'the variable {key!r} is not set: add {key} = "…" to variables in [tool.dagproof.world]',)
            raise

    with patch.object(Connection, "get", classmethod(connection)), patch.object(Variable, "get", classmethod(variable)):
        yield


def _reseed() -> None:
    """Give this process random numbers of its own; Python's own generator does so by itself after a fork."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _moment(text: str | None) -> Any:
    import pendulum

    return pendulum.instance(datetime.fromisoformat(text)) if text else None


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Write `result` so that the worker sees all of it or nothing."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result), encoding="utf-8")
    os.replace(part, path)
