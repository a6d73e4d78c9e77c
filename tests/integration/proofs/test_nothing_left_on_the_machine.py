"""However a proof ends, the machine is as it was: no process, no listening socket, no shared memory, no file."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.proofs.conftest import NOTHING, Project, command_lines_of, eventually

DAG = """\
import os
import socket
import subprocess
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


def leave():
    name = f"dagproof-left-{os.getpid()}"
    Path("/dev/shm", name).write_text("x")
    subprocess.run(f"echo x > /dev/shm/{name}-of-a-shell", shell=True, check=True)
    Path(os.environ["TMPDIR"], "left").write_text("x")
    Path.home().joinpath(".left").write_text("x")
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        listeners[1].bind("\\0" + name)
        listeners[1].listen()
        subprocess.run(["sleep", "600"])
        os._exit(0)


def succeeds():
    leave()


def fails():
    leave()
    raise LookupError("there is no order 7")


def waits():
    leave()
    Path(os.environ["MARKER"]).write_text(str(os.getpid()))
    subprocess.run(["sleep", "600"])


def make(function):
    @dag(dag_id=function.__name__, schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
    def one():
        task(retries=0)(function)()

    one()


for function in (succeeds, fails, waits):
    make(function)
"""
ENDS = (
    "success",
    "failure",
    "timeout",
    "SIGINT",
    "SIGKILL of the driver",
    "SIGKILL of the worker",
    "SIGKILL of the run",
)
QUICK = ("SIGKILL of the driver",)
ROUNDS = 8


def left_behind() -> list[str]:
    """What such a DAG leaves on the machine outside of any temporary folder: shared memory, abstract sockets."""
    sockets = [
        line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if "@dagproof-left-" in line
    ]
    return sorted(name for name in (*os.listdir("/dev/shm"), *sockets) if "dagproof-left-" in name)


def listening(place: Path) -> list[str]:
    """The listening TCP sockets of the processes that belong to a project, by their inodes."""
    inodes = {
        fields[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in (line.split() for line in Path(table).read_text().splitlines()[1:])
        if fields[3] == "0A"
    }
    found = []
    for pid in command_lines_of(place):
        with contextlib.suppress(OSError):
            links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
            found += [link for link in links if link.removeprefix("socket:[").rstrip("]") in inodes]
    return found


def prove(project: Project, end: str) -> None:
    """Let a proof end in one of the ways, while its run has left all kinds of things."""
    dag_id = {"success": "succeeds", "failure": "fails"}.get(end, "waits")
    process = project.start("prove", dag_id, "--law", "effect", "--date", "2026-01-01")
    try:
        if dag_id == "waits":
            assert eventually(lambda: bool(project.marker.read_text()) or process.poll() is not None, 120)
            assert process.poll() is None, process.communicate()
            assert left_behind() != []
            assert listening(project.temporary) != []
            run = int(project.marker.read_text())
            worker = int(Path(f"/proc/{run}/stat").read_text().rpartition(")")[2].split()[1])
            victims = {"SIGKILL of the driver": process.pid, "SIGKILL of the worker": worker, "SIGKILL of the run": run}
            if end in victims:
                os.kill(victims[end], signal.SIGKILL)
            elif end == "SIGINT":
                os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    "end", [pytest.param(end, marks=[] if end in QUICK else pytest.mark.deep, id=end) for end in ENDS]
)
def test_the_machine_is_as_it_was(end: str, make_project: Callable[..., Project], tmp_path: Path) -> None:
    """Before and after proofs that were ended in this way."""
    (tmp_path / "leaving.py").write_text(DAG)
    project = make_project(dags=tmp_path, timeout=5 if end == "timeout" else 120)
    before = left_behind()
    for _ in range(1 if end in QUICK else ROUNDS):
        project.marker.write_text("")
        prove(project, end)
        assert eventually(lambda: left_behind() == before), left_behind()
        assert eventually(lambda: project.left() == NOTHING), project.left()
        assert listening(project.temporary) == []
