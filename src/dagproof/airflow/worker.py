"""The worker process: imports Airflow once, loads the DAGs once, and forks a child for each run.

It reads one JSON request a line from the descriptor in ``argv[1]`` and writes one JSON reply a line to it. When the
other end closes, whatever the reason, it kills its children and ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import secrets
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dagproof.airflow import bundle, callbacks, engine, private, runner, schedule
from dagproof.airflow.children import LOOK_AT_DISK, Disk, adopt_orphans, children_of, end_of, how_it_ended
from dagproof.airflow.triggering import triggered_ids
from dagproof.errors import DagproofError
from dagproof.inside import background, bytecode
from dagproof.inside.exchange import (
    ORIGIN,
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
from dagproof.inside.mounts import mapping_problem
from dagproof.inside.seccomp import kill_unasked
from dagproof.worlds.gate import ask_for_gate

#: No exit status that a process could have.
DISK_IS_FULL = -1


class Worker:
    """Answers the requests of :mod:`dagproof.inside.exchange`."""

    def __init__(self, control: socket.socket, guard: Guard, gate: socket.socket, problem: str) -> None:
        self.control = control
        self.guard = guard
        self.gate = gate
        self.problem = problem
        """Why it cannot begin; empty where it can."""
        self.not_held: list[str] = []
        """What the fence does not hold on this kernel, for people."""
        self.folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        self.dags: bundle.Dags = {}
        self.is_warm = False
        self._secret = ""
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
            background.forget()
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
            raise DagproofError(
                f"importing the DAGs left threads running ({'; '.join(left)}), and a process with threads cannot be "
                f"forked for a run; start them in a task, or make them daemon threads that the import does not wait for"
            )
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
        secret = secrets.token_hex(16)
        pid, asks = self._fork(lambda asks: self._run_dag(request, result, secret, asks))
        self._reply(Started(pid).to_json())
        status = self._wait(pid, request.timeout, asks, Disk(request.cwd, request.disk), secret)
        if status is None:
            return RunReport(state="timeout")
        if status == DISK_IS_FULL:
            return RunReport(state="full")
        written = _written(result, secret)
        if written is None:
            return RunReport(state="died", reason=how_it_ended(status))
        report = RunReport.from_json(written)
        preload(report.imported)
        bytecode.keep(report.compiled)
        return report

    def call(self, request: CallRequest) -> Called:
        """Call a function of the user's, outside any run, in a child of its own; say how it failed if it does."""
        result = Path(request.result)
        result.unlink(missing_ok=True)
        secret = secrets.token_hex(16)
        pid, asks = self._fork(lambda asks: _write(result, _called(request), secret))
        status = self._wait(pid, request.timeout, asks)
        if status is None:
            return Called(f"it took more than {request.timeout:g} s")
        written = _written(result, secret)
        return Called(how_it_ended(status)) if written is None else Called.from_json(written)

    def serve(self) -> None:
        """Warm up while nothing has been asked for yet, then answer requests until the driver goes away."""
        with contextlib.suppress(Exception):
            self._warm_up()  # what is wrong comes up again, and is told, at the first request
        with self.control.makefile("rb") as requests:
            for line in requests:
                data = json.loads(line)
                self._secret = data.pop(ORIGIN)
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
        if self.problem:
            raise DagproofError(self.problem)
        private.check(private.PROVE)
        engine.import_jsonschema()
        from airflow.sdk import DAG, task

        engine.hurry_metadata()
        engine.load_metadata(None)
        engine.install_inline_api()
        # From here on, files are the user's, also those of commands. Airflow's own may be cached, which saves seconds.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        bytecode.install()

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
        # the DAG files are imported in this process: what one of them writes to the socket lacks the secret
        self.control.sendall(json.dumps({**reply, ORIGIN: self._secret}).encode() + b"\n")

    def _run_dag(self, request: RunRequest, result: Path, secret: str, asks: socket.socket) -> None:
        log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for name in self.stored:
            os.environ.pop(name, None)
        Disk(request.cwd, request.disk).limit_files()
        background.start_held_back()
        report = runner.run_in_child(self.dags[request.run.dag_id], request, lambda ask: _ask(asks, ask, secret))
        _write(result, report, secret)

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

    def _wait(
        self, pid: int, timeout: float, asks: socket.socket, disk: Disk | None = None, secret: str = ""
    ) -> int | None:
        """Wait for the child; None when its time is up or the driver is gone. In any case nothing is left of it.

        When the folder of `disk` is full, the child is killed and the answer is :data:`DISK_IS_FULL`.

        A run of another DAG that the child asks for is made meanwhile, beside it.
        """
        deadline = time.monotonic() + timeout
        status = None
        with end_of(pid) as end:
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
                        ask = _told_with(line, secret)
                        if secret and ask is not None:
                            report = self._beside(RunRequest.from_json(ask))
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
        secret = secrets.token_hex(16)
        pid, asks = self._fork(lambda asks: self._run_dag(request, result, secret, asks))
        self._wait(pid, request.timeout, asks, secret=secret)
        written = _written(result, secret)
        return RunReport(state="failed", reason="it hung, or died") if written is None else RunReport.from_json(written)

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


def _write(result: Path, report: RunReport | Called, secret: str) -> None:
    """Write, in a child, what has come of it, so that the worker sees all of it or nothing."""
    part = result.with_suffix(".part")
    part.write_text(json.dumps({**report.to_json(), ORIGIN: secret}), encoding="utf-8")
    os.replace(part, result)


def _written(result: Path, secret: str) -> dict[str, Any] | None:
    """Return what a child has written at its end; None where it is nothing, or a forgery by the code that ran there."""
    try:
        return _told_with(result.read_bytes(), secret)
    except OSError:
        return None


def _told_with(text: bytes, secret: str) -> dict[str, Any] | None:
    """Return what a text of JSON says, if it carries the secret."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.pop(ORIGIN, None) == secret else None


def _facts(dag: Any) -> DagFacts:
    return DagFacts(
        file=dag.fileloc,
        tasks={t.task_id: runner.source_of(t) for t in dag.tasks},
        sensors=tuple(t.task_id for t in dag.tasks if getattr(t, "_is_sensor", False)),
        depends_on_past=tuple(t.task_id for t in dag.tasks if t.depends_on_past or t.wait_for_downstream),
        max_active_runs=dag.max_active_runs,
        callbacks=tuple(callbacks.of_dag(dag)),
        triggers=triggered_ids(dag),
        params=tuple(dag.params),
    )


def _ask(asks: socket.socket, request: RunRequest, secret: str) -> RunReport:
    """Ask the worker, from inside a child, to run another DAG; wait until it has."""
    asks.sendall(json.dumps({**request.to_json(), ORIGIN: secret}).encode() + b"\n")
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


def main() -> None:
    """Serve the control socket in ``argv[1]``, behind the guard in ``argv[2]`` and the gate in ``argv[3]``.

    What the guard notes goes into the file ``argv[4]``.
    """
    gc.disable()  # until all is warm: it would look at Airflow's modules again and again, and find next to nothing
    adopt_orphans()
    allowed = Allowed.from_json(json.loads(sys.argv[2]))
    problem = mapping_problem(allowed.paths, Path(os.environ["AIRFLOW_HOME"]))
    guard = Guard.of(allowed, note=notes_in(sys.argv[4]))
    control, gate = (socket.socket(fileno=int(number)) for number in (sys.argv[1], sys.argv[3]))
    Worker(control, guard, gate, problem).serve()


if __name__ == "__main__":
    main()
