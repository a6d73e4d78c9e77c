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
import select
import signal
import socket
import sys
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dagproof.airflow import bundle, engine, runner, schedule
from dagproof.errors import DagproofError
from dagproof.worlds.guard import Guard

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1


class Worker:
    """The requests a worker answers: ``catalogue``, ``load``, ``plan`` and ``run``."""

    def __init__(self, control: socket.socket, guard: Guard) -> None:
        self.control = control
        self.guard = guard
        self.folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        self.dags: dict[str, Any] = {}
        self.is_warm = False

    def catalogue(self, request: dict[str, Any]) -> dict[str, Any]:
        """Import the whole DAG folder."""
        self._warm_up()
        found, errors = bundle.all_dags(self.folder)
        return {"dags": {dag_id: dag.fileloc for dag_id, dag in found.items()}, "errors": errors}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Load DAGs; put them into the metadata template where this worker is the one that makes it."""
        template = Path(request["template"])
        self._warm_up()
        found = bundle.find_dags(self.folder, request["dags"])
        if request["makes_template"]:
            engine.load_metadata(template)
            bundle.sync_to_metadata(self.folder, found)
            engine.save_metadata(template)
        self.dags |= found
        if left := engine.wait_for_threads():
            raise DagproofError(f"importing the DAGs left threads running ({', '.join(left)}); a run cannot be forked")
        gc.freeze()  # what is here now is for ever: a child's collector need not touch, and so copy, its pages
        return {"dags": {dag_id: self._about(dag) for dag_id, dag in found.items()}}

    def plan(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the scheduler's run for each date; the default dates when none are given."""
        dag = self.dags[request["dag"]]
        dates = request["dates"] or schedule.default_dates(dag)
        return {"runs": [schedule.run_for(dag, date) for date in dates]}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Fork a child that runs a DAG once; kill it at its time limit, and all that it leaves behind."""
        result = Path(request["result"])
        result.unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            self._child(request, result)
        status = self._wait(pid, request["timeout"])
        self._kill_stragglers(pid)
        if status is None:
            return {"state": "timeout", "tasks": [], "reason": None}
        if not result.exists():
            return {"state": "died", "tasks": [], "reason": _how_it_ended(status)}
        report: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        preload(report["imported"])
        return report

    def serve(self) -> None:
        """Warm up while nothing has been asked for yet, then answer requests until the driver goes away."""
        with contextlib.suppress(Exception):
            self._warm_up()  # what is wrong comes up again, and is told, at the first request
        with self.control.makefile("rb") as requests:
            for line in requests:
                request = json.loads(line)
                try:
                    reply = getattr(self, request["op"])(request)
                except DagproofError as error:
                    reply = {"error": str(error)}
                except Exception as error:
                    traceback.print_exc()
                    reply = {"error": f"the worker failed at {request['op']!r}: {type(error).__name__}: {error}"}
                self.control.sendall(json.dumps(reply).encode() + b"\n")

    def _warm_up(self) -> None:
        """Run a DAG of no consequence, so that forked children find all caches filled."""
        if self.is_warm:
            return
        from airflow.sdk import DAG, task

        engine.hurry_metadata()
        engine.load_metadata(None)
        engine.install_inline_api()
        sys.dont_write_bytecode = True  # from here on it is the user's files that are imported

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
        self.guard.up()  # for what the DAG files do while they are imported, and for every child
        self.is_warm = True

    def _about(self, dag: Any) -> dict[str, Any]:
        return {"file": dag.fileloc, "tasks": {t.task_id: runner.source_of(t) for t in dag.tasks}}

    def _child(self, request: dict[str, Any], result: Path) -> None:
        """Never returns."""
        status = 1
        try:
            os.setsid()
            self.control.close()
            log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            runner.write_result(result, runner.run_in_child(self.dags[request["dag"]], request))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _wait(self, pid: int, timeout: float) -> int | None:
        """Wait for the child; None when its time is up or the driver is gone (the child is dead then, too)."""
        deadline = time.monotonic() + timeout
        pause = 0.001
        while time.monotonic() < deadline:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return status
            if select.select([self.control], [], [], pause)[0]:
                break  # no request comes while one is under way: the driver has closed its end
            pause = min(pause * 1.5, 0.02)
        self._kill_stragglers(pid)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        return None

    def _kill_stragglers(self, pid: int) -> None:
        """Kill the child's process group, and every process that it left to this one."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        for _ in range(100):
            orphans = children_of(os.getpid())
            for orphan in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    if orphan != pid:
                        os.waitpid(orphan, 0)
            if not set(orphans) - {pid}:
                return


def preload(modules: list[str]) -> None:
    """Import what the last child had to import itself, so that the next one finds it."""
    for name in modules:
        with contextlib.suppress(Exception):  # it imported there; what is wrong with it here is not worth a run
            importlib.import_module(name)
    if modules:
        gc.freeze()


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
    """Serve the control socket whose descriptor stands in ``argv[1]``, behind the guard described in ``argv[2]``."""
    adopt_orphans()
    allowed = json.loads(sys.argv[2])
    guard = Guard(allowed["writable"], [(host, port) for host, port in allowed["endpoints"]])
    Worker(socket.socket(fileno=int(sys.argv[1])), guard).serve()


if __name__ == "__main__":
    main()
