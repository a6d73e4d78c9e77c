"""A program beside this process: what it prints, how it ended, and that nothing of it is left."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagproof.processes.child import ChildProcess
from dagproof.reaper import start_time
from tests.support.waiting import eventually


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    return bool(start_time(pid))


@pytest.mark.parametrize(
    ("program", "how", "words"),
    [
        pytest.param("print('ready'); print()", "with exit status 0", "ready", id="well"),
        pytest.param("import sys; sys.exit('no port')", "with exit status 1", "no port", id="badly"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "by SIGKILL", "it printed nothing", id="killed"),
    ],
)
def test_how_it_ended_is_known(program: str, how: str, words: str, tmp_path: Path) -> None:
    """With its last words, on either stream."""
    with ChildProcess([sys.executable, "-c", program], log=tmp_path / "log") as child:
        assert child.wait(30)
        assert child.has_ended
    assert (child.how_it_ended, child.last_words()) == (how, words)


def test_it_ends_with_the_block_and_all_that_it_has_started(tmp_path: Path) -> None:
    """Also where it would rather go on."""
    program = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program]
    with ChildProcess(command, log=tmp_path / "log", stop=signal.SIGTERM, grace=0.1, whole=True) as child:
        while not child.said():
            assert not child.wait(0.01)
    assert not alive(child.pid)
    assert not alive(int(child.said()[0]))


def test_it_gets_the_time_that_it_is_given(tmp_path: Path) -> None:
    """One that ends by itself within that is not hurried."""
    child = ChildProcess([sys.executable, "-c", "import time; time.sleep(0.3); print('done')"], log=tmp_path / "log")
    child.close(patience=30)
    assert (child.status, child.last_words()) == (0, "done")


def test_it_does_not_outlive_a_driver_that_is_killed(tmp_path: Path) -> None:
    """The reaper ends it."""
    program = (
        "import os, sys\nfrom dagproof.processes.child import ChildProcess\n"
        "print(ChildProcess(['sleep', '600']).pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert eventually(lambda: not alive(int(done.stdout)))
