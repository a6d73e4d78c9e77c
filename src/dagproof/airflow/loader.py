"""The process that loads DAG files for ``dagproof check``: imports Airflow once, and forks a child for each file.

It reads one JSON request a line from the descriptor in ``argv[1]`` and answers each with a line of JSON for each of the
request's files, as they are done. When the other end closes it kills its children and ends. A file may hang, crash, end
its process or print for ever: the others are loaded all the same.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import re
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagproof.airflow import engine, private
from dagproof.airflow.children import adopt_orphans, children_of, die_with_parent
from dagproof.airflow.frames import Place, UserCode
from dagproof.airflow.importing import Import, Report, apart, silence
from dagproof.airflow.timetables import awaited, logical_dates
from dagproof.airflow.watching import Watch
from dagproof.errors import DagproofError
from dagproof.inside.plain import Plain

READY_MADE = (
    "airflow.sdk",
    "airflow.sdk.bases.sensor",
    "airflow.sdk.definitions.mappedoperator",
    "airflow.dag_processing.dagbag",
    "airflow.models.dag",
    "airflow.models.dagbag",
    "airflow.serialization.serialized_objects",
    "airflow.serialization.encoders",
    "airflow.providers.standard.operators.bash",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.operators.python",
    "airflow.providers.standard.sensors.external_task",
    "airflow.providers.standard.sensors.filesystem",
    "airflow.timetables.trigger",
    "airflow.timetables.interval",
    "time_machine",
)
GRACE = 10.0
"""Seconds that a child whose time is up has to say where it is and end, before it is killed."""
MOST_OF_STACK = 1_000_000
_FRAME = re.compile(r'^  File "(?P<path>.*)", line (?P<line>\d+) in ')


@dataclass(frozen=True)
class Job(Plain):
    """What is wanted of one file of a folder: to ``describe`` its DAGs, their ``dates``, or what its sensors await."""

    file: str
    folder: str
    want: str
    later: float = 0.0
    """Seconds by which the clock is ahead."""
    dags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting(Plain):
    """What holds for all files."""

    home: str
    timeout: float
    memory: int
    jobs: int
    user: tuple[str, ...]
    writable: tuple[str, ...]
    endpoints: tuple[tuple[str, int], ...]
    files: tuple[str, ...]


@dataclass
class Child:
    """One file that is being loaded."""

    number: int
    job: Job
    pid: int
    started: float
    deadline: float
    report: Report


class Loader:
    """Loads files: `setting` is what holds for all of them."""

    def __init__(self, control: socket.socket, setting: Setting) -> None:
        self.control = control
        self.home = Path(setting.home)
        self.timeout = setting.timeout
        self.memory = setting.memory
        self.jobs = setting.jobs
        self.user = UserCode(setting.user)
        self.watch = Watch(self.user, [setting.home, *setting.writable], list(setting.endpoints), self._tell)
        self._report: Report | None = None
        self._stack: Any = None
        self._running: dict[int, Child] = {}
        self._count = 0

    def warm_up(self, files: Sequence[str]) -> None:
        """Import Airflow, and what the files want of it: the DAG processor does so before it forks, too.

        Raises:
            WorkerError: this Airflow has no longer what is needed of it.
        """
        engine.import_jsonschema()
        private.check(private.CHECK)
        for name in (*READY_MADE, *_airflow_imports(files)):
            with contextlib.suppress(Exception):  # another Airflow has it elsewhere; a file that wants it will tell
                importlib.import_module(name)
        with contextlib.suppress(Exception):
            engine.dispose()
        self.watch.up()
        sys.dont_write_bytecode = True
        gc.freeze()

    def serve(self) -> None:
        """Answer requests until the other side goes away."""
        with self.control.makefile("rb") as requests:
            for line in requests:
                self._load([Job.from_json(job) for job in json.loads(line)["jobs"]])
                self._send({"done": True})

    def refuse(self, reason: str) -> None:
        """Answer that nothing can be loaded, and why."""
        self._send({"error": reason})

    def _load(self, jobs: Sequence[Job]) -> None:
        waiting = list(reversed(jobs))
        pause = 0.001
        while waiting or self._running:
            while waiting and len(self._running) < self.jobs:
                child = self._fork(waiting.pop())
                self._running[child.pid] = child
            ended = [child for child in self._running.values() if self._has_ended(child)]
            for child in ended:
                del self._running[child.pid]
            self._kill_orphans()
            pause = 0.001 if ended else min(pause * 1.5, 0.02)
            if not ended and select.select([self.control], [], [], pause)[0]:
                self.close()
                raise SystemExit  # no request comes while one is under way: the other side has gone

    def _fork(self, job: Job) -> Child:
        self._count += 1
        report = Report()
        pid = os.fork()
        if pid == 0:
            self._child(job, self._count, report)
        now = time.monotonic()
        return Child(self._count, job, pid, now, now + self.timeout + GRACE, report)

    def _has_ended(self, child: Child) -> bool:
        """Look after a child: kill it when its time is up, and tell what came of it when it has ended."""
        done, status = os.waitpid(child.pid, os.WNOHANG)
        if not done and time.monotonic() < child.deadline:
            return False
        self._kill(child)
        if not done:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, 0)
        self._send(self._outcome(child, status if done else None))
        return True

    def _outcome(self, child: Child, status: int | None) -> Mapping[str, object]:
        events: list[object] = []
        result, failure = None, None
        with contextlib.suppress(ValueError):  # the last one may be cut short
            for data in child.report.lines():
                result = data.get("result", result)
                failure = data.get("failure", failure)
                if "event" in data:
                    events.append(data["event"])
        child.report.close()
        outcome = {"file": child.job.file, "want": child.job.want, "events": events, "result": result}
        if result is None:
            is_late, stack = self._stack_of(child.number)
            is_late = is_late and time.monotonic() - child.started >= self.timeout
            status = None if is_late else status
            outcome["died"] = {"how": failure or _how_it_ended(status, self.timeout), "chain": stack}
        self._path(child.number).unlink(missing_ok=True)
        return outcome

    def _stack_of(self, number: int) -> tuple[bool, list[Place]]:
        """Whether a child's time was up, and where in the user's files it was then, or when it crashed."""
        lines: list[str] = []
        with contextlib.suppress(OSError), self._path(number).open("rb") as file:
            lines = file.read(MOST_OF_STACK).decode("utf-8", "replace").splitlines()
        found = [match for line in lines if (match := _FRAME.match(line)) and self.user.has(match["path"])]
        spots = [(match["path"], int(match["line"])) for match in reversed(found)]
        is_late = bool(lines) and lines[0].startswith("Timeout")
        return is_late, [Place(path=path, line=line, column=1, end_line=line) for path, line in spots]

    def _path(self, number: int) -> Path:
        """Where a child writes down where it is when it crashes: the one descriptor of ours that it keeps."""
        return self.home / f"{number}.stack"

    def _kill(self, child: Child) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)

    def _kill_orphans(self) -> None:
        """Kill what files started and left to this process."""
        for orphan in set(children_of(os.getpid())) - set(self._running):
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(orphan, signal.SIGKILL)
                os.waitpid(orphan, 0)

    def close(self) -> None:
        """Kill everything."""
        for child in self._running.values():
            self._kill(child)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, 0)
        self._running.clear()
        self._kill_orphans()

    def _send(self, data: Mapping[str, object]) -> None:
        try:
            self.control.sendall(json.dumps(data).encode() + b"\n")
        except OSError:
            raise SystemExit from None

    def _tell(self, event: Mapping[str, object]) -> None:
        if self._report:
            self._report.tell(event=event)

    # In a child

    def _child(self, job: Job, number: int, report: Report) -> None:
        """Never returns."""
        status = 1
        try:
            os.setsid()
            die_with_parent()
            os.close(self.control.fileno())  # its own close waits for the file that requests are read from
            self._report = report
            self._stack = apart(self._path(number))
            resource.setrlimit(resource.RLIMIT_DATA, (self.memory, self.memory))
            faulthandler.dump_traceback_later(self.timeout, file=self._stack, exit=True)
            silence()
            self._report.tell(result=self._work(job))
            status = 0
        except BaseException as error:
            told = "".join(traceback.format_exception(error)[-2:])
            if self._report:
                self._report.tell(failure=f"what it gave could not be described: {' '.join(told.split())}")
        finally:
            os._exit(status)

    def _let_crash(self) -> None:
        """Take Airflow's handler of crashes away, which makes an endless loop of one, and write down where it is."""
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        faulthandler.enable(self._stack)

    def _work(self, job: Job) -> Mapping[str, object]:
        if job.later:
            import time_machine

            time_machine.travel(time.time() + job.later, tick=True).start()
        one = Import(Path(job.file), Path(job.folder), self.user, self.watch, before=self._let_crash)
        try:
            said = one.run()
        except BaseException as error:  # some Airflow lets SystemExit through
            one.errors.append(("", error))
            said = {}
        for number, (name, raised) in enumerate(one.errors):
            if isinstance(raised, MemoryError) and not raised.args:
                text = f"it takes more than the {self.memory // 1_000_000:,} MB of [tool.dagproof.check] memory"
                one.errors[number] = (name, MemoryError(text).with_traceback(raised.__traceback__))
        if job.want == "dates":
            return {"dates": {dag.dag_id: logical_dates(dag) for dag in one.dags if dag.dag_id in job.dags}}
        if job.want == "awaits":
            return {"awaits": [found for dag in one.dags for found in awaited(dag)]}
        return one.report(said)


def _airflow_imports(files: Sequence[str]) -> list[str]:
    """The modules of Airflow that files import at their top, those of packages that are not installed among them."""
    found: dict[str, None] = {}
    for file in files:
        with contextlib.suppress(Exception):  # what can't be read or parsed wants nothing
            for node in ast.parse(Path(file).read_bytes()).body:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.append(node.module)
                found.update(dict.fromkeys(name for name in names if name.startswith("airflow.")))
    return list(found)


def _how_it_ended(status: int | None, timeout: float) -> str:
    if status is None:
        return f"importing it took more than {timeout:g} s"
    if os.WIFSIGNALED(status):
        return f"importing it killed the process with {signal.Signals(os.WTERMSIG(status)).name}"
    return f"importing it ended the process with exit status {os.waitstatus_to_exitcode(status)}"


def main() -> None:
    """Serve the socket whose descriptor stands in ``argv[1]``, as set up in the file ``argv[2]``."""
    adopt_orphans()
    setting = Setting.from_json(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    loader = Loader(socket.socket(fileno=int(sys.argv[1])), setting)
    try:
        loader.warm_up(setting.files)
        loader.serve()
    except DagproofError as error:
        loader.refuse(str(error))
    finally:
        loader.close()


if __name__ == "__main__":
    main()
