"""The worker process: imports Airflow once, loads the DAGs once, and forks a child for each run.

It reads one JSON request a line from the descriptor in ``argv[1]`` and writes one JSON reply a line to it. When the
other end closes, whatever the reason, it kills its children and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dagproof.airflow import bundle, callbacks, engine, private, runner, schedule
from dagproof.airflow.triggering import triggered_ids
from dagproof.errors import DagproofError
from dagproof.inside.exchange import (
    Allowed,
    Answer,
    Called,
    CallRequest,
    Catalogue,
    CatalogueRequest,
    DagFacts,
    Loaded,
    LoadRequest,
    Plan,
    PlanRequest,
    Request,
    RunReport,
    RunRequest,
    Started,
    request_from_json,
)
from dagproof.inside.guard import Guard, notes_in
from dagproof.inside.seccomp import kill_unasked
from dagproof.worlds.gate import ask_for_gate

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1
#: Seconds between two looks at how much a run has written.
LOOK_AT_DISK = 0.25
#: No exit status that a process could have.
DISK_IS_FULL = -1


class Disk:
    """A folder, and how many bytes may be in it; one file alone is held to that by the kernel, too."""

    def __init__(self, folder: str, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._looked = time.monotonic()

    def limit_files(self) -> None:
        """Let no file of this process grow past the limit: writing then fails as on a full disk."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))

    def is_full(self) -> bool:
        """Tell whether there is more in the folder than may be; looked at now and then only."""
        if time.monotonic() - self._looked < LOOK_AT_DISK:
            return False
        total = 0
        for parent, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(parent, name)).st_blocks * 512
        self._looked = time.monotonic()
        return total > self.limit * 1.05  # a file alone that is too large is the kernel's to stop


class Worker:
    """Answers the requests of :mod:`dagproof.inside.exchange`."""

    def __init__(self, control: socket.socket, guard: Guard, gate: socket.socket) -> None:
        self.control = control
        self.guard = guard
        self.gate = gate
        self.not_held: list[str] = []
        """What the fence does not hold on this kernel, for people."""
        self.folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        self.dags: dict[str, Any] = {}
        self.is_warm = False
        self.stored: list[str] = []
        """The environment variables that DAG files are imported with, and of which a run finds the stored value."""
        self.children: list[int] = []
        """The process ids of the runs under way: one that waits may have asked for another."""

    def catalogue(self) -> Catalogue:
        """Import the whole DAG folder."""
        self._warm_up()
        found, errors = bundle.all_dags(self.folder)
        return Catalogue({dag_id: dag.fileloc for dag_id, dag in found.items()}, errors)

    def load(self, request: LoadRequest) -> Loaded:
        """Load DAGs; put them into the metadata template where this worker is the one that makes it."""
        template = Path(request.template)
        self._warm_up()
        if self.dags.keys() & set(request.dags):
            bundle.forget_modules(self.folder)  # they are read again: their files, or what lies beside, have changed
        found = bundle.find_dags(self.folder, request.dags)
        if request.makes_template:
            engine.load_metadata(template)
            bundle.sync_to_metadata(self.folder, found)
            engine.add_variables(request.variables)
            engine.save_metadata(template)
        self.dags |= found
        self.stored = [f"AIRFLOW_VAR_{key.upper()}" for key in request.variables]
        if left := engine.wait_for_threads():
            raise DagproofError(f"importing the DAGs left threads running ({', '.join(left)}); a run cannot be forked")
        gc.freeze()  # what is here now is for ever: a child's collector need not touch, and so copy, its pages
        return Loaded({dag_id: _facts(dag) for dag_id, dag in found.items()}, tuple(self.not_held))

    def plan(self, request: PlanRequest) -> Plan:
        """Return the scheduler's run for each date; the default dates when none are given."""
        dag = self.dags[request.dag]
        dates = request.dates or schedule.default_dates(dag)
        return Plan(tuple(schedule.run_for(dag, date) for date in dates))

    def run(self, request: RunRequest) -> RunReport:
        """Fork a child that runs a DAG once; kill it at its time limit, and all that it leaves behind.

        The driver is told its process id first, so that it can be killed from there.
        """
        result = Path(request.result)
        result.unlink(missing_ok=True)
        pid, asks = self._fork(lambda asks: self._run_dag(request, result, asks))
        self._reply(Started(pid).to_json())
        status = self._wait(pid, request.timeout, asks, Disk(request.cwd, request.disk))
        if status is None:
            return RunReport(state="timeout")
        if status == DISK_IS_FULL:
            return RunReport(state="full")
        if not result.exists():
            return RunReport(state="died", reason=_how_it_ended(status))
        report = RunReport.from_json(json.loads(result.read_text(encoding="utf-8")))
        preload(report.imported)
        return report

    def call(self, request: CallRequest) -> Called:
        """Call a function of the user's, outside any run, in a child of its own; say how it failed if it does."""
        result = Path(request.result)
        result.unlink(missing_ok=True)
        pid, asks = self._fork(lambda asks: runner.write_result(result, _called(request)))
        status = self._wait(pid, request.timeout, asks)
        if status is None:
            return Called(f"it took more than {request.timeout:g} s")
        if not result.exists():
            return Called(_how_it_ended(status))
        return Called.from_json(json.loads(result.read_text(encoding="utf-8")))

    def serve(self) -> None:
        """Warm up while nothing has been asked for yet, then answer requests until the driver goes away."""
        with contextlib.suppress(Exception):
            self._warm_up()  # what is wrong comes up again, and is told, at the first request
        with self.control.makefile("rb") as requests:
            for line in requests:
                data = json.loads(line)
                try:
                    reply = self._answer(request_from_json(data)).to_json()
                except DagproofError as error:
                    reply = {"error": str(error)}
                except Exception as error:
                    traceback.print_exc()
                    reply = {"error": f"the worker failed at {data['kind']}: {type(error).__name__}: {error}"}
                self._reply(reply)

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, CatalogueRequest):
            return self.catalogue()
        if isinstance(request, LoadRequest):
            return self.load(request)
        if isinstance(request, PlanRequest):
            return self.plan(request)
        return self.run(request) if isinstance(request, RunRequest) else self.call(request)

    def _warm_up(self) -> None:
        """Run a DAG of no consequence, so that forked children find all caches filled."""
        if self.is_warm:
            return
        private.check(private.PROVE)
        engine.import_jsonschema()
        from airflow.sdk import DAG, task

        engine.hurry_metadata()
        engine.load_metadata(None)
        engine.install_inline_api()
        # From here on it is the user's files that are imported, also by the commands of runs. Airflow itself may be
        # cached: without, a freshly installed one costs each worker four seconds.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

        with DAG("dagproof_warm_up", schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:

            @task
            def warm_up(ds: str | None = None) -> str | None:
                return ds

            warm_up() >> warm_up()
        bundle.sync_to_metadata(Path(os.environ["AIRFLOW_HOME"]), {dag.dag_id: dag})
        run = schedule.run_for(dag, "2026-01-01")
        for _ in range(2):  # a run and a rerun
            state = runner.rehearse(dag, run)
            if state != "success":
                raise DagproofError(f"Airflow cannot run even an empty DAG here (it ended as {state})")
        engine.dispose()
        gc.freeze()
        gc.enable()
        self.not_held = self.guard.up(
            lambda: ask_for_gate(self.gate)
        )  # for what the DAG files do while they are imported, and for every child
        self.is_warm = True

    def _reply(self, reply: Mapping[str, object]) -> None:
        self.control.sendall(json.dumps(reply).encode() + b"\n")

    def _run_dag(self, request: RunRequest, result: Path, asks: socket.socket) -> None:
        log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for name in self.stored:
            os.environ.pop(name, None)
        Disk(request.cwd, request.disk).limit_files()
        report = runner.run_in_child(self.dags[request.run.dag_id], request, lambda ask: _ask(asks, ask))
        runner.write_result(result, report)

    def _fork(self, work: Callable[[socket.socket], None]) -> tuple[int, socket.socket]:
        """Let a child do `work`; return its process id, and the socket over which it asks for things."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid:
            theirs.close()
            self.children.append(pid)
            return pid, ours
        status = 1
        try:
            os.setsid()
            os.close(self.control.fileno())  # its own close waits for the file that requests are read from
            ours.close()
            work(theirs)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _wait(self, pid: int, timeout: float, asks: socket.socket, disk: Disk | None = None) -> int | None:
        """Wait for the child; None when its time is up or the driver is gone. In any case nothing is left of it.

        When the folder of `disk` is full, the child is killed and the answer is :data:`DISK_IS_FULL`.

        A run of another DAG that the child asks for is made meanwhile, beside it.
        """
        deadline = time.monotonic() + timeout
        status = None
        with _end_of(pid) as end:
            awaited: list[Any] = [self.control, asks, *end]
            while (left := deadline - time.monotonic()) > 0:
                ready = select.select(awaited, [], [], min(left, LOOK_AT_DISK if end else 0.005))[0]
                done, ended = os.waitpid(pid, os.WNOHANG)
                if done:
                    status = ended
                    break
                if disk is not None and not ready and disk.is_full():
                    status = DISK_IS_FULL
                    break
                if self.control in ready:
                    break  # no request comes while one is under way: the driver has closed its end
                if asks in ready:
                    if line := asks.makefile("rb").readline():
                        report = self._beside(RunRequest.from_json(json.loads(line)))
                        answer = json.dumps(report.to_json()).encode() + b"\n"
                        with contextlib.suppress(OSError):  # it may have been killed meanwhile
                            asks.sendall(answer)
                    else:
                        awaited.remove(asks)  # the child is about to end
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill_unasked(-pid, signal.SIGKILL)
        if status in (None, DISK_IS_FULL):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self._kill_stragglers()  # now that it is dead, what it leaves is ours
        self.children.remove(pid)
        asks.close()
        return status

    def _beside(self, request: RunRequest) -> RunReport:
        """Run another DAG while a run waits for it."""
        result = Path(request.result)
        pid, asks = self._fork(lambda asks: self._run_dag(request, result, asks))
        self._wait(pid, request.timeout, asks)
        if not result.exists():
            return RunReport(state="failed", reason="it hung, or died")
        return RunReport.from_json(json.loads(result.read_text(encoding="utf-8")))

    def _kill_stragglers(self) -> None:
        """Kill every process that a child has left to this one."""
        for _ in range(100):
            orphans = set(children_of(os.getpid())) - set(self.children)
            for orphan in orphans:
                with contextlib.suppress(ProcessLookupError):
                    kill_unasked(orphan, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan, 0)
            if not orphans:
                return


def _facts(dag: Any) -> DagFacts:
    return DagFacts(
        file=dag.fileloc,
        tasks={t.task_id: runner.source_of(t) for t in dag.tasks},
        sensors=tuple(t.task_id for t in dag.tasks if getattr(t, "_is_sensor", False)),
        depends_on_past=tuple(t.task_id for t in dag.tasks if t.depends_on_past or t.wait_for_downstream),
        max_active_runs=dag.max_active_runs,
        callbacks=tuple(callbacks.of_dag(dag)),
        triggers=tuple(triggered_ids(dag)),
    )


def _ask(asks: socket.socket, request: RunRequest) -> RunReport:
    """Ask the worker, from inside a child, to run another DAG; wait until it has."""
    asks.sendall(json.dumps(request.to_json()).encode() + b"\n")
    return RunReport.from_json(json.loads(asks.makefile("rb").readline()))


def _called(request: CallRequest) -> Called:
    """Call ``file.py:function`` with the keyword arguments of the request."""
    path, _, name = request.function.rpartition(":")
    try:
        function = runpy.run_path(path, run_name="dagproof_correction").get(name)
        if function is None:
            return Called(f"{path} has no function {name!r}")
        function(**request.arguments)
    except Exception as error:
        traceback.print_exc()
        return Called(f"{type(error).__name__}: {error}")
    return Called(None)


def preload(modules: Sequence[str]) -> None:
    """Import what the last child had to import itself, so that the next one finds it."""
    for name in modules:
        with contextlib.suppress(Exception):  # it imported there; what is wrong with it here is not worth a run
            importlib.import_module(name)
    if modules:
        gc.freeze()


@contextlib.contextmanager
def _end_of(pid: int) -> Iterator[list[int]]:
    """Yield a descriptor that can be read once the process has ended (none where the system has no such thing)."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield []
        return
    try:
        yield [descriptor]
    finally:
        os.close(descriptor)


def adopt_orphans() -> None:
    """Become the parent of whatever a child leaves behind, where the kernel has that (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """In a child: be killed when the parent ends, however that comes about (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def children_of(pid: int) -> list[int]:
    """Return the process ids of the direct children of `pid` (Linux; none where /proc does not tell)."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"the process of the run was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"the process of the run ended with exit status {os.waitstatus_to_exitcode(status)} before it was done"


def main() -> None:
    """Serve the control socket in ``argv[1]``, behind the guard in ``argv[2]`` and the gate in ``argv[3]``.

    What the guard notes goes into the file ``argv[4]``.
    """
    gc.disable()  # until all is warm: it would look at Airflow's modules again and again, and find next to nothing
    adopt_orphans()
    guard = Guard.of(Allowed.from_json(json.loads(sys.argv[2])), note=notes_in(sys.argv[4]))
    control, gate = (socket.socket(fileno=int(number)) for number in (sys.argv[1], sys.argv[3]))
    Worker(control, guard, gate).serve()


if __name__ == "__main__":
    main()
