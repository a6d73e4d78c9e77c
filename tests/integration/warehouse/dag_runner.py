"""Runs the warehouse's DAGs through `dag.test()`, one after another, in a process and an Airflow of its own.

Started by `conftest.py`. Reads one JSON request a line from standard input and
answers with one JSON line. Time is skipped: each `time.sleep` moves the clock
by a minute, so that a wait of hours takes seconds.

A request holds `dag`, `ds`, `env` (variables for the run) and, for the tests' interventions,
`late` (seconds into the wait after which the state of the users' producer becomes `success` and `arrives` is
moved to its place), `sabotage` (`kill`: SIGKILL in the middle of the first COPY, `terminate`: the
server ends the connection there, `restart`: the server, which must be on this machine, breaks down there,
`full`: there is no room left on the disk; `sabotaged` names another function whose second call it is
to be) and `count` (a query asked again at each wait).
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import errno
import functools
import importlib
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import time_machine
from airflow import settings
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskreschedule import TaskReschedule
from airflow.sdk.execution_time import supervisor, task_runner
from airflow.utils.db import initdb

ROOT = Path(__file__).parents[3]
# The heavy half of the tasks' imports, so that no test pays for it twice.

real_sleep = time.sleep


class Watch:
    """What there is to see, and to do, while a run waits."""

    def __init__(self, request: dict[str, Any], moment: datetime.datetime) -> None:
        self.request = request
        self.moment = moment
        self.waited = 0.0
        self.states: list[dict[str, str | None]] = []
        self.counts: list[int] = []

    def sleep(self, seconds: float, clock: Any) -> None:
        """Stand in for `time.sleep`."""
        real_sleep(0.001)
        if seconds < 0.5:  # a thread of Airflow's own, not a wait of the run
            return
        clock.shift(60)
        self.waited += 60
        self._look()
        if "late" in self.request and self.waited >= self.request["late"]:
            self._upstream_arrives()

    def _look(self) -> None:
        states = task_states(self.request["dag"], self.moment)
        if states not in self.states:
            self.states.append(states)
        if "count" in self.request:
            with psycopg.connect(self.request["env"]["DATABASE"]) as connection:
                row = connection.execute(self.request["count"]).fetchone()
            if row and row[0] not in self.counts:
                self.counts.append(row[0])

    def _upstream_arrives(self) -> None:
        del self.request["late"]
        if "producer_state" in self.request:
            set_producer_state(self.moment, "success")
        if "arrives" in self.request:
            os.replace(*self.request["arrives"])


@contextlib.contextmanager
def metadata() -> Iterator[Any]:
    """Open a session of its own on the metadata database."""
    assert settings.engine is not None
    from sqlalchemy.orm import Session

    with Session(settings.engine) as session:
        yield session
        session.commit()


def task_states(dag_id: str, moment: datetime.datetime) -> dict[str, str | None]:
    """Return the state of each task of a run."""
    with metadata() as session:
        query = session.query(TaskInstance.task_id, TaskInstance.state).join(TaskInstance.dag_run)
        rows = query.filter(DagRun.dag_id == dag_id, DagRun.logical_date == moment).all()
        return {task: None if state is None else str(getattr(state, "value", state)) for task, state in rows}


def set_producer_state(moment: datetime.datetime, state: str) -> None:
    """Pretend that the producer's run, which is done, has got this far."""
    with metadata() as session:
        run = session.query(DagRun).filter_by(dag_id="producer_users_daily", logical_date=moment).one()
        session.query(TaskInstance).filter_by(dag_id=run.dag_id, run_id=run.run_id).update({"state": state})


def reschedules(dag_id: str, moment: datetime.datetime) -> dict[str, list[float]]:
    """Return, for each task of a run, the minutes between its looks."""
    found: dict[str, list[float]] = {}
    with metadata() as session:
        query = session.query(TaskInstance.task_id, TaskReschedule.duration, TaskReschedule.start_date)
        query = query.join(TaskInstance, TaskInstance.id == TaskReschedule.ti_id).join(TaskInstance.dag_run)
        query = query.filter(DagRun.dag_id == dag_id, DagRun.logical_date == moment)
        for task, _, start in query.order_by(TaskReschedule.start_date).all():
            found.setdefault(task, []).append(start.timestamp() / 60)
    return {task: [b - a for a, b in itertools.pairwise(starts)] for task, starts in found.items()}


def restart_server(database: str) -> None:
    """Kill the process that serves the task: PostgreSQL ends all connections, and recovers as after a power cut."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'warehouse' AND datname = current_database()"
        ).fetchone()
        connection.commit()
        connection.autocommit = True
        connection.execute("CHECKPOINT")  # the tests' server does not wait for the disk when it commits: now it does
    assert row
    os.kill(row[0], signal.SIGKILL)
    while True:
        real_sleep(0.1)
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(database) as connection:
            return


def sabotaged(function: Callable[..., Any], how: str, database: str) -> Callable[..., Any]:
    """Return a stand-in for a function that strikes once, when a part of the rows is on its way."""
    calls = [0]

    def sabotage(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            real_sleep(0.3)  # let the server work on what it has got
            if how == "full":
                raise OSError(errno.ENOSPC, "No space left on device")
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "restart":
                restart_server(database)
                return function(*arguments)
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
        return function(*arguments)

    return sabotage


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Run one DAG for one date and tell what happened."""
    moment = datetime.datetime.fromisoformat(request["ds"]).replace(tzinfo=datetime.timezone.utc)
    if request.get("producer_state"):
        set_producer_state(moment, request["producer_state"])
    watch = Watch(request, moment)
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, request["env"]))
        dag = getattr(importlib.import_module(request["dag"]), request["dag"])()
        clock = stack.enter_context(time_machine.travel(moment + datetime.timedelta(days=1, hours=1)))
        stack.enter_context(mock.patch("time.sleep", lambda seconds: watch.sleep(seconds, clock)))
        if "sabotage" in request:
            module, _, name = request.get("sabotaged", "etl.load._csv").rpartition(".")
            place = importlib.import_module(module)
            stand_in = sabotaged(getattr(place, name), request["sabotage"], request["env"]["DATABASE"])
            stack.enter_context(mock.patch.object(place, name, stand_in))
        state = dag.test(logical_date=moment).state
    return {
        "state": str(getattr(state, "value", state)),
        "tasks": task_states(request["dag"], moment),
        "waited": watch.waited,
        "states_while_waiting": watch.states,
        "counts_while_waiting": watch.counts,
        "reschedules": reschedules(request["dag"], moment),
    }


def with_exception(finalize: Callable[..., Any]) -> Callable[..., Any]:
    """Let callbacks see the exception, as a worker does; the `dag.test()` of Airflow 3.1 forgets to."""

    def finalized(ti: Any, state: Any, context: Any, log: Any, error: Any = None) -> Any:
        return finalize(ti, state, {**context, "exception": error} if error else context, log, error)

    return finalized


def main() -> None:
    """Answer requests until there are no more."""
    if sys.platform == "linux":  # pytest may be killed while a run waits: do not outlive it
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever prints, prints into the log
    sys.path.insert(0, str(ROOT / "dags"))
    initdb()
    # Airflow 3.1 builds its in-process API anew for each task, which takes seconds.
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
    task_runner.finalize = with_exception(task_runner.finalize)
    answers.write("ready\n")
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
