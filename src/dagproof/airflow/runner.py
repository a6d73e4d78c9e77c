"""One run of one DAG, in a forked child: ``dag.test()`` on the run that the scheduler would have made."""

from __future__ import annotations

import inspect
import itertools
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any

from dagproof.airflow import callbacks, engine, private
from dagproof.airflow.lookups import named_lookups
from dagproof.airflow.meddling import Pokes, losing_workers, set_retries, stopped_before
from dagproof.airflow.outcomes import describe, failures, judged, raised_at, watch_callbacks
from dagproof.airflow.reordering import turner
from dagproof.airflow.scheduled import scheduled
from dagproof.airflow.taken_out import without_tasks
from dagproof.airflow.triggering import triggered_runs
from dagproof.airflow.waiting import RunInProgress, without_waiting
from dagproof.errors import DagproofError
from dagproof.inside import bytecode, handlers, tripwire
from dagproof.inside.clock import Arrival, Clock
from dagproof.inside.exchange import (
    PlannedArrival,
    PlannedRun,
    RunOptions,
    RunReport,
    RunRequest,
    TaskRun,
    Trip,
)
from dagproof.inside.fileops import FileOperations
from dagproof.worlds import shell_date

Ask = Callable[[RunRequest], RunReport]

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


@dataclass
class Tries:
    """The tries of tasks: those that are over, and the task that is running (empty between two)."""

    over: list[TaskRun] = field(default_factory=list)
    running: str = ""

    @property
    def last(self) -> str:
        """The task of the last try; empty before any."""
        return self.over[-1].task_id if self.over else ""


def run_in_child(dag: Any, request: RunRequest, ask: Ask) -> RunReport:
    """Run `dag` once inside its world and return what happened.

    `ask` lets the worker do something for the run, such as running another DAG.
    """
    beside: list[RunReport] = []
    ask = _noting(ask, beside)
    callbacks: dict[str, str] = {}
    unturned: list[str] = []
    watch_callbacks(dag, callbacks.setdefault)
    request.machine.become()
    os.chdir(request.cwd)
    _reseed()
    run = RunInProgress(dag, request.run.run_id)
    tries = Tries()
    known = len(sys.modules)
    bytecode.begin()
    started = time.perf_counter()
    files = _watched_files(request.options, tries)
    starts = datetime.fromisoformat(request.clock)
    clock = run.clock = Clock(starts, run.next_due, _arrivals(request.options.arrivals, ask))
    state, reason = "failed", None
    pokes = Pokes(request.options.poke, lambda: tries.running or tries.last)
    run.note_wait = pokes.note
    trips: list[Trip] = []
    taken: handlers.Handlers | None = None
    try:
        with ExitStack() as stack:
            stack.enter_context(engine.without_bundle_sync())
            stack.enter_context(engine.without_rendered_fields())
            stack.enter_context(_prepared(dag, request))
            stack.enter_context(without_waiting(run))
            stack.enter_context(triggered_runs(request, clock, ask))
            stack.enter_context(named_lookups())
            stack.enter_context(_reported(tries, request.options, turner(request.turn, unturned)))
            stack.enter_context(pokes.noted())
            os.environ[shell_date.AHEAD] = str(starts.timestamp() - time.time())
            clock.start()
            trips = tripwire.set_up(request.options.tripwire, lambda: tries.running)
            taken = handlers.set_up(request.options.handlers, lambda: tries.running)
            state = run.execute(request.run)
            reason = run.reason
            clock.let_arrive()
    except DagproofError as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc()
        reason = f"the run could not start: {describe(error)}"
    states, may_fail = run.states(), request.may_fail.get(request.run.dag_id, ())
    return RunReport(
        dag=request.run.dag_id,
        state=judged(state, states, may_fail) if reason is None else "failed",
        dag_run=state,
        failures=failures(states, tries.over, may_fail),
        callbacks=callbacks,
        unturned=tuple(unturned),
        beside=tuple(beside),
        reason=reason,
        dated=request.run.logical_date is not None,
        tasks=tuple(tries.over),
        slots=run.slots,
        skipped=clock.skipped,
        files=tuple(files.seen) if files else (),
        reads=tuple(files.reads) if files else (),
        pokes=tuple(pokes.seen),
        taken=taken.taken() if taken else (),
        trips=tuple(trips),
        imported=tuple(name for name in _modules_after(known) if name.partition(".")[0] in PRELOADED),
        compiled=bytecode.compiled(),
        states=states,
        ended=_clock_says(),
        seconds=time.perf_counter() - started,
    )


def rehearse(dag: Any, planned: PlannedRun) -> str:
    """Run `dag` in this process, without a world, and return how it ended."""
    run = RunInProgress(dag, planned.run_id)
    with ExitStack() as stack:
        stack.enter_context(engine.without_bundle_sync())
        stack.enter_context(engine.without_rendered_fields())
        for context in (scheduled(planned), without_waiting(run), named_lookups()):
            stack.enter_context(context)
        stack.enter_context(_reported(Tries(), RunOptions(), turner({}, [])))
        return run.execute(planned)


def _noting(ask: Ask, reports: list[RunReport]) -> Ask:
    """Return `ask`, with what each run that it makes says of itself put into `reports`."""

    def asking(request: RunRequest) -> RunReport:
        report = ask(request)
        reports.append(report)
        return report

    return asking


@contextmanager
def _prepared(dag: Any, request: RunRequest) -> Iterator[None]:
    """Make the run what the step wants it to be."""
    options = request.options
    if options.retries is not None:
        set_retries(dag, options.retries)
    with ExitStack() as stack:
        stack.enter_context(scheduled(request.run, options.clear, request.conf.get(request.run.dag_id, {})))
        stack.enter_context(without_tasks(dag, request.instead.get(request.run.dag_id, {})))
        if options.stop:
            stack.enter_context(stopped_before(options.stop))
        if options.lose is not None:
            stack.enter_context(losing_workers(options.lose))
        yield


def _arrivals(planned: Sequence[PlannedArrival], ask: Ask) -> list[Arrival]:
    """What happens while the run waits: runs of other DAGs, made by the worker beside this one."""

    def happen(upstream: RunRequest) -> None:
        report = ask(upstream)
        if report.state != "success":
            raise DagproofError(f"{upstream.run.dag_id}, which runs first, ended as {report.state}")

    return [Arrival(datetime.fromisoformat(one.moment), partial(happen, one.request)) for one in planned]


def _watched_files(options: RunOptions, tries: Tries) -> FileOperations | None:
    if options.files is None:
        return None
    files = FileOperations(options.files, lambda: tries.running)
    files.watch()
    return files


def _clock_says() -> str:
    """Return the time in the world, as ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat()


@contextmanager
def _reported(tries: Tries, options: RunOptions, turn: Callable[[], None]) -> Iterator[None]:
    """Note each task's outcome; `turn` before it, and snapshot the stores after it when the step asks for that."""
    original: Callable[..., Any] = private.run_task
    after_task = callbacks.watcher(options.watch)
    now = time.monotonic  # the real one: what the driver sees on the wire is timed by it, too

    def run_task(*, ti: Any, task: Any, **kwargs: Any) -> Any:
        turn()
        tries.running = ti.task_id
        started, begun = now(), _clock_says()
        result = None
        try:
            result = original(ti=ti, task=task, **kwargs)
        finally:
            error = getattr(result, "error", None)
            outcome = TaskRun(
                task_id=ti.task_id,
                map_index=ti.map_index,
                try_number=ti.try_number,
                state=str(getattr(ti.state, "value", ti.state)) if ti.state else None,
                where=source_of(task),
                error=describe(error) if error is not None else None,
                raised=raised_at(error) if error is not None else None,
                started=started,
                ended=now(),
                begun=begun,
                over=_clock_says(),
            )
            tries.over.append(outcome)
            tries.running = ""
        after_task(outcome)
        return result

    with private.patched(run_task=run_task), callbacks.told_apart(options.watch):
        yield


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
