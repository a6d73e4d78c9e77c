"""The driver's end of a worker process (:mod:`dagproof.airflow.worker`), which is the one that knows Airflow."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from dagproof.errors import WorkerError
from dagproof.inside.exchange import (
    ORIGIN,
    Allowed,
    Called,
    CallRequest,
    Catalogue,
    CatalogueRequest,
    DagFacts,
    Loaded,
    LoadRequest,
    Plan,
    PlannedRun,
    PlanRequest,
    Request,
    RunReport,
    RunRequest,
    Started,
    request_to_json,
)
from dagproof.inside.guard import Guard
from dagproof.inside.machine import Machine
from dagproof.inside.notes import Notes
from dagproof.inside.plain import Plain
from dagproof.processes.child import ChildProcess
from dagproof.worlds.connects import Connects
from dagproof.worlds.gate import Gate

#: What a worker keeps of the user's environment. All else (AIRFLOW__…, PGHOST, AWS_…) could lead to real systems.
KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE")

_AIRFLOW_SETTINGS = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__UNIT_TEST_MODE": "False",
    "CORE__FERNET_KEY": "",
    "DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
    "API_AUTH__JWT_SECRET": "one worker, no network",
    "LOGGING__LOGGING_LEVEL": "INFO",
    "LOGGING__COLORED_CONSOLE_LOG": "False",
    "USAGE_DATA_COLLECTION__ENABLED": "False",
    "CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "1000",  # the line in the user's file may lie above many others
    "CORE__DAG_IGNORE_FILE_SYNTAX": "glob",
    "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",  # a file that is written anew counts at once
}

P = TypeVar("P", bound=Plain)

_START_TIMEOUT = 120.0
_GRACE = 10.0


class Worker:
    """A worker process: started now, opened when its DAGs are known, then asked to run them.

    Args:
        home: a folder for its AIRFLOW_HOME; the metadata database of the current world is put there.
        machine: the machine that its runs believe they are on.
        env: the world's environment variables, connections and variables among them.
        variables: those of Airflow's variables that a world keeps in its metadata database.
        pythonpath: folders to import from.
        own: a folder for what it keeps of its own, and a run may write.
        allowed: what DAG files and runs can reach; nothing else.
        log: the file that receives what it prints.

    Raises:
        WorkerError: Airflow is not installed.
    """

    def __init__(
        self,
        *,
        home: Path,
        own: Path,
        dags_folder: Path,
        machine: Machine,
        env: Mapping[str, str],
        variables: Mapping[str, str],
        pythonpath: list[str],
        allowed: Allowed,
        log: Path,
    ) -> None:
        if importlib.util.find_spec("airflow") is None:
            raise WorkerError("Airflow is not installed in this environment; pip install 'dagproof[airflow]'")
        self.machine = machine
        self.home = home
        self.metadata = own / f"{home.name}.db"
        self._dags_folder = dags_folder
        self.not_held: tuple[str, ...] = ()
        """What the fence around runs does not hold on this kernel, for people."""
        self._beside = list(allowed.beside.values())
        self._notes = Notes(own / f"{home.name}.notes")
        self._variables = dict(variables)
        home.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        gate, channel = socket.socketpair()
        descriptors = [theirs.fileno(), channel.fileno()]
        arguments = [str(descriptors[0]), json.dumps(allowed.to_json()), str(descriptors[1]), str(self._notes.path)]
        with theirs, channel:
            self._process = ChildProcess(
                [sys.executable, "-m", "dagproof.airflow.worker", *arguments],
                log=log,
                env=_environment(home, self.metadata, dags_folder, machine, env, pythonpath),
                cwd=home,
                descriptors=descriptors,
                stop=signal.SIGKILL,
                whole=True,
            )
        self._gate = Gate(Guard.of(allowed, self._notes.add), self._process.pid, gate)
        self._socket = ours
        self._buffer = b""
        self._secret = ""
        self._run_timeout = 0.0

    def start_loading(self, dag_ids: Sequence[str], template: Path, *, makes_template: bool) -> None:
        """Let the worker load DAGs, while something else goes on; :meth:`loaded` waits for it.

        `template` is the metadata database that every world starts from; the worker that `makes_template` adds the
        DAGs to it, the others read it.
        """
        self._send(LoadRequest(tuple(dag_ids), str(template), makes_template, self._variables))

    def loaded(self, timeout: float) -> Mapping[str, DagFacts]:
        """Return what is known of each DAG of the last :meth:`start_loading`.

        Raises:
            WorkerError: a DAG is unknown or does not load, or loading takes longer than `timeout` seconds.
        """
        loaded = self._answer(Loaded, timeout + _START_TIMEOUT, _late(timeout))
        self.not_held = loaded.not_held
        return loaded.dags

    def catalogue(self, timeout: float) -> Catalogue:
        """Import the whole DAG folder; return the file of each DAG, and what does not load."""
        self._send(CatalogueRequest())
        return self._answer(Catalogue, timeout + _START_TIMEOUT, _late(timeout))

    def plan(self, dag_id: str, dates: Sequence[str]) -> tuple[PlannedRun, ...]:
        """Return the run that the scheduler would make for each date; the default dates when there are none."""
        self._send(PlanRequest(dag_id, tuple(dates)))
        return self._answer(Plan, 60.0, "planning took too long").runs

    def start_run(self, request: RunRequest) -> int:
        """Begin a run in a forked child, and return the child's process id; :meth:`finished_run` waits for its end."""
        self._notes.begin()
        self._run_timeout = request.timeout + _GRACE
        self._send(request)
        return self._answer(Started, _GRACE, "the worker does not answer").pid

    def finished_run(self) -> RunReport:
        """Return the report of the run that was started, once it has ended (see :mod:`dagproof.airflow.runner`)."""
        report = self._answer(RunReport, self._run_timeout, "the worker does not answer")
        if self._gate.sweep():
            self._notes.add("removed", "shared memory in /dev/shm")
        refused, left_out = self._notes.end(self._beside if self.not_held else ())
        return replace(report, refused=refused, left_out=left_out)

    def has_finished(self, seconds: float) -> bool:
        """Wait up to `seconds` for the end of the run that was started; tell whether it has come."""
        return b"\n" in self._buffer or bool(select.select([self._socket], [], [], seconds)[0])

    def count_connects(self, connects: Connects | None) -> None:
        """Have the connections counted that runs open from now on; none where it is None."""
        self._gate.connects = connects

    def call(self, function: str, arguments: Mapping[str, str], *, result: Path, timeout: float) -> str | None:
        """Call ``file.py:function`` in a forked child; return why it failed, None when it did not."""
        self._send(CallRequest(function, arguments, str(result), timeout))
        return self._answer(Called, timeout + _GRACE, "no answer").reason

    def close(self) -> None:
        """End the worker and all its children."""
        self._socket.close()
        self._process.close(patience=2.0)
        self._kill_orphans()
        self._gate.close()

    def _kill_orphans(self) -> None:
        """Kill what a worker that was killed itself has left: its processes have the name of its folder to show."""
        mark = f"AIRFLOW_HOME={self.home}".encode()
        processes = os.listdir("/proc") if os.path.isdir("/proc") else []
        for pid in (int(name) for name in processes if name.isdigit()):
            with contextlib.suppress(OSError):  # it may end meanwhile, or be another user's
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    os.kill(pid, signal.SIGKILL)

    def _send(self, request: Request) -> None:
        self._secret = secrets.token_hex(16)
        with contextlib.suppress(OSError):  # it is gone: the answer will say so
            self._socket.sendall(json.dumps({**request_to_json(request), ORIGIN: self._secret}).encode() + b"\n")

    def _answer(self, kind: type[P], timeout: float, late: str) -> P:
        try:
            reply = self._read_line(time.monotonic() + timeout)
        except OSError:
            reply = b""
        if reply is None:
            raise WorkerError(late)
        if not reply:
            raise WorkerError(f"the worker process ended unexpectedly ({self._process.last_words()})")
        answer = _reply_in(reply)
        if answer.pop(ORIGIN, None) != self._secret:
            raise WorkerError(
                "a DAG file wrote to a file descriptor that it did not open; write only to files that it opens"
            )
        if "error" in answer:
            raise WorkerError(_as_written(answer["error"], self._dags_folder))
        return kind.from_json(answer)

    def _read_line(self, deadline: float) -> bytes | None:
        """Return the next line; None when it is too late, nothing when the worker is gone."""
        while b"\n" not in self._buffer:
            if not select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            chunk = self._socket.recv(65536)
            if not chunk:
                return b""
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _reply_in(line: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return reply if isinstance(reply, dict) else {}


def _as_written(text: str, folder: Path) -> str:
    """Return a text with paths of the DAG folder as the user would write them here."""
    with contextlib.suppress(ValueError):  # it lies elsewhere
        return text.replace(str(folder), str(folder.relative_to(Path.cwd())))
    return text


def _late(timeout: float) -> str:
    return f"importing the DAGs took more than {timeout:g} s; a DAG file must do nothing slow while it is parsed"


def _environment(
    home: Path, metadata: Path, dags_folder: Path, machine: Machine, env: Mapping[str, str], pythonpath: list[str]
) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    airflow = {f"AIRFLOW__{name}": value for name, value in _AIRFLOW_SETTINGS.items()}
    return {
        "LANG": "C.UTF-8",
        **kept,
        **airflow,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{metadata}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(metadata.with_suffix(".logs")),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([_bundle(dags_folder)]),
        "PYTHONPATH": os.pathsep.join(pythonpath),
        "PYTHONHASHSEED": str(machine.hash_seed),
        "PYTHONUNBUFFERED": "1",
        "TZ": machine.timezone,
        **env,
    }


def _bundle(dags_folder: Path) -> dict[str, object]:
    return {
        "name": "dagproof",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(dags_folder), "refresh_interval": 0},
    }
