"""Who waits for a lock on a file."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagproof.processes.filelocks import waits_for_file_lock
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux has /proc/locks")

LOCK = "import fcntl, sys; fcntl.{}(open(sys.argv[1], 'w'), fcntl.LOCK_EX); print('locked', flush=True)"


@pytest.mark.parametrize("call", ["flock", "lockf"])
@pytest.mark.parametrize("shell", [False, True], ids=["itself", "a child of its"])
def test_a_process_that_waits(tmp_path: Path, call: str, shell: bool) -> None:
    """It counts as waiting from when it asks for the lock until it has it, and so does who started it."""
    file = tmp_path / "lock"
    command = [sys.executable, "-c", LOCK.format(call), str(file)]
    if shell:
        command = ["sh", "-c", '"$@"; true', "sh", *command]
    with file.open("w") as held:
        getattr(fcntl, call)(held, fcntl.LOCK_EX)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert eventually(lambda: waits_for_file_lock(process.pid, os.getpid()))
            assert not waits_for_file_lock(process.pid, process.pid), "it waits for another one"
            getattr(fcntl, call)(held, fcntl.LOCK_UN)
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            assert not waits_for_file_lock(process.pid, os.getpid())


def test_a_process_that_holds_a_lock_does_not_wait(tmp_path: Path) -> None:
    """The healthy twin: its line in the list has no arrow."""
    command = [sys.executable, "-c", f"{LOCK.format('flock')}; input()", str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        assert not waits_for_file_lock(process.pid, os.getpid())
        process.communicate("\n")
