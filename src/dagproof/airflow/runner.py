"""One run of one DAG, in a forked child: ``dag.test()`` on the run that the scheduler would have made."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from dagproof.airflow import callbacks, engine, private
from dagproof.airflow.lookups import named_lookups
from dagproof.airflow.meddling import losing_workers, set_retries
from dagproof.airflow.outcomes import describe, failures, judged, raised_at, watch_callbacks
from dagproof.airflow.reordering import turner
from dagproof.airflow.scheduled import scheduled
from dagproof.airflow.triggering import triggered_runs
from dagproof.airflow.waiting import RunInProgress, without_waiting
from dagproof.errors import DagproofError
from dagproof.inside import tripwire
from dagproof.inside.clock import Arrival, Clock
from dagproof.inside.fileops import FileOperations
from dagproof.inside.machine import Machine
from dagproof.worlds import shell_date

Ask = Callable[[dict[str, Any]], dict[str, Any]]

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


def run_in_child(dag: Any, request: dict[str, Any], ask: Ask) -> dict[str, Any]:
    """Run `dag` once inside its world and return what happened, as JSON-ready values.

    `request` holds ``run`` (what :func:`dagproof.airflow.schedule.run_for` gave), ``clock`` (where the wall clock
    starts), ``machine`` and ``cwd``, and may hold what the step asks for besides: ``watch`` (take a snapshot after
    each task), ``retries`` (``least`` and ``most``), ``lose`` (a task, or all of them), ``clear`` (a task),
    ``arrivals`` (runs of other DAGs, each with its ``moment``), ``files`` (what :class:`FileOperations` takes),
    ``may_fail`` (for each DAG, the tasks that may) and ``tripwire`` (note who asks for the time or for something
    random).

    `ask` lets the worker do something for the run, such as running another DAG.
    """
    beside: list[dict[str, Any]] = []
    ask = _noting(ask, beside)
    callbacks: dict[str, str] = {}
    unturned: list[str] = []
    watch_callbacks(dag, callbacks.setdefault)
    Machine(**request["machine"]).become()
    os.chdir(request["cwd"])
    _reseed()
    run = RunInProgress(dag, request["run"]["run_id"])
    tasks: list[dict[str, Any]] = []
    known = len(sys.modules)
    started = time.perf_counter()
    files = _watched_files(request, tasks)
    clock = run.clock = Clock(_time(request["clock"]), run.next_due, _arrivals(request, ask))
    state, reason = "failed", None
    trips: list[dict[str, Any]] = []
    try:
        with ExitStack() as stack:
            stack.enter_context(engine.without_bundle_sync())
            stack.enter_context(_prepared(dag, request))
            stack.enter_context(without_waiting(run))
            stack.enter_context(triggered_runs(request, clock, ask))
            stack.enter_context(named_lookups())
            stack.enter_context(_reported(tasks, request, unturned))
            os.environ[shell_date.AHEAD] = str(_time(request["clock"]).timestamp() - time.time())
            clock.start()
            trips = tripwire.set_up(request.get("tripwire"), lambda: _now_running(tasks))
            state = run.execute(request["run"])
            reason = run.reason
            clock.let_arrive()
    except DagproofError as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc()
        reason = f"the run could not start: {describe(error)}"
    states, may_fail = run.states(), request.get("may_fail", {}).get(request["dag"], ())
    return {
        "dag": request["dag"],
        "state": judged(state, states, may_fail) if reason is None else "failed",
        "dag_run": state,
        "failures": failures(states, tasks, may_fail),
        "callbacks": callbacks,
        "unturned": unturned,
        "beside": beside,
        "reason": reason,
        "dated": request["run"]["logical_date"] is not None,
        "tasks": [task for task in tasks if "state" in task],
        "slots": run.slots,
        "skipped": clock.skipped,
        "files": files.seen if files else [],
        "trips": trips,
        "imported": [name for name in _modules_after(known) if name.partition(".")[0] in PRELOADED],
        "states": states,
        "ended": _clock_says(),
        "seconds": time.perf_counter() - started,
    }


def rehearse(dag: Any, spec: dict[str, Any]) -> str:
    """Run `dag` in this process, without a world, and return how it ended."""
    run = RunInProgress(dag, spec["run_id"])
    with engine.without_bundle_sync(), scheduled(spec), without_waiting(run), named_lookups(), _reported([], {}, []):
        return run.execute(spec)


def _noting(ask: Ask, reports: list[dict[str, Any]]) -> Ask:
    """Return `ask`, with what each run that it makes says of itself put into `reports`."""

    def asking(request: dict[str, Any]) -> dict[str, Any]:
        report = ask(request)
        reports.append(report)
        return report

    return asking


@contextmanager
def _prepared(dag: Any, request: dict[str, Any]) -> Iterator[None]:
    """Make the run what the step wants it to be."""
    if "retries" in request:
        set_retries(dag, **request["retries"])
    with ExitStack() as stack:
        stack.enter_context(scheduled(request["run"], request.get("clear", "")))
        if "lose" in request:
            stack.enter_context(losing_workers(request["lose"]))
        yield


def _arrivals(request: dict[str, Any], ask: Ask) -> list[Arrival]:
    """What happens while the run waits: runs of other DAGs, made by the worker beside this one."""

    def happen(upstream: dict[str, Any]) -> None:
        report = ask(upstream)
        if report["state"] != "success":
            raise DagproofError(f"{upstream['dag']}, which runs first, ended as {report['state']}")

    return [Arrival(_time(one["moment"]), partial(happen, one["request"])) for one in request.get("arrivals", ())]


def _watched_files(request: dict[str, Any], tasks: list[dict[str, Any]]) -> FileOperations | None:
    if "files" not in request:
        return None
    files = FileOperations(request["files"]["folders"], request["files"].get("plan"), lambda: _now_running(tasks))
    files.watch()
    return files


def _now_running(tasks: list[dict[str, Any]]) -> str:
    return tasks[-1]["task_id"] if tasks and "state" not in tasks[-1] else ""


def _clock_says() -> str:
    """Return the time in the world, as ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def _reported(tasks: list[dict[str, Any]], request: dict[str, Any], unturned: list[str]) -> Iterator[None]:
    """Note each task's outcome; snapshot the stores after it, and turn rows before it, when the request says so."""
    original: Callable[..., Any] = private.run_task
    after_task = callbacks.watcher(request.get("watch"))
    turn = turner(request, unturned)
    now = time.monotonic  # the real one: what the driver sees on the wire is timed by it, too

    def run_task(*, ti: Any, task: Any, **kwargs: Any) -> Any:
        turn()
        tasks.append({"task_id": ti.task_id, "map_index": ti.map_index, "started": now(), "from": _clock_says()})
        result = None
        try:
            result = original(ti=ti, task=task, **kwargs)
        finally:
            tasks[-1] |= {**_outcome(ti, task, result), "ended": now(), "to": _clock_says()}
        after_task(tasks[-1])
        return result

    with private.patched(run_task=run_task), callbacks.told_apart(request.get("watch")):
        yield


def _outcome(ti: Any, task: Any, result: Any) -> dict[str, Any]:
    error = getattr(result, "error", None)
    return {
        "task_id": ti.task_id,
        "map_index": ti.map_index,
        "try_number": ti.try_number,
        "state": str(getattr(ti.state, "value", ti.state)) if ti.state else None,
        "where": source_of(task),
        "error": describe(error) if error is not None else None,
        "raised": raised_at(error) if error is not None else None,
    }


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


def _modules_after(count: int) -> list[str]:
    """Return the modules imported since there were `count`, and look at no other: that would copy its memory page."""
    return list(itertools.islice(reversed(sys.modules), max(0, len(sys.modules) - count)))[::-1]


def _reseed() -> None:
    """Give this process random numbers of its own; Python's own generator does so by itself after a fork.

    One that is not there yet will have its own.
    """
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Write `result` so that the worker sees all of it or nothing."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result), encoding="utf-8")
    os.replace(part, path)
