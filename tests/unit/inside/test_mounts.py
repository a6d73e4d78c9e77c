"""Paths that code has in it lead into the world: from Python, C and shells, and on the machine nothing changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagproof.inside import mounts
from dagproof.inside.mounts import mapping_problem

PROGRAM = """
import ctypes, os, subprocess, sys
from pathlib import Path
from dagproof.inside.mounts import mapping_problem
root, missing = Path(sys.argv[1]), sys.argv[2]
paths = {f"{root}/app/data": f"{root}/world", "/dagproof-no-such/in": f"{root}/world", missing: f"{root}/world/one.txt"}
if problem := mapping_problem(paths, root / "stage"):
    raise SystemExit(problem)
Path(f"{root}/app/data/python.txt").write_text("1")
subprocess.run(["sh", "-c", "echo 2 > /dagproof-no-such/in/shell.txt"], check=True)
ctypes.CDLL(None).creat(os.fsencode(f"{root}/app/data/c.txt"), 0o600)
Path(missing).write_text("3")
print(sorted(os.listdir(f"{root}/app")), Path(f"{root}/app/beside.txt").read_text(), os.getcwd() == str(root / "app"))
"""


def test_a_path_leads_into_the_world(tmp_path: Path) -> None:
    """Below a folder that is there, below one that is not, and a file; what lies beside is still there."""
    if problem := _problem_here(tmp_path):
        pytest.skip(problem)
    for folder in ("app", "app/data", "world"):
        (tmp_path / folder).mkdir()
    (tmp_path / "app" / "data" / "real.txt").touch()
    (tmp_path / "app" / "beside.txt").write_text("beside")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tmp_path / "app" / "one.txt")]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "app", check=False)
    assert ended.stderr == ""
    assert ended.stdout == "['beside.txt', 'data', 'one.txt'] beside True\n"
    found = {path.name for path in (tmp_path / "world").iterdir()}
    assert found == {"python.txt", "shell.txt", "c.txt", "one.txt"}
    assert sorted(os.listdir(tmp_path / "app" / "data")) == ["real.txt"], "the machine's own is as it was"
    assert not Path("/dagproof-no-such").exists()


def test_where_the_kernel_allows_none_of_it_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With each way out; a proof without the paths would be one of something else."""

    def refused(libc: object) -> None:
        raise mounts.MountError("the kernel does not allow a mount namespace (Operation not permitted)")

    monkeypatch.setattr(mounts, "_own_namespace", refused)
    assert mapping_problem({"/data": str(tmp_path)}, tmp_path) == (
        "the paths in [tool.dagproof.world] cannot be mapped on this machine: the kernel does not allow a mount "
        "namespace (Operation not permitted); run dagproof where it may make a mount namespace (as root, as a user who "
        "may make user namespaces, or in a container with CAP_SYS_ADMIN), or let the DAG take the path from an "
        "environment variable that env sets"
    )
    assert mapping_problem({}, tmp_path) == ""


def _problem_here(folder: Path) -> str:
    """Why this machine cannot map paths, if it cannot."""
    program = (
        "import sys; from pathlib import Path; from dagproof.inside.mounts import mapping_problem; "
        "print(mapping_problem({sys.argv[1] + '/x': '/tmp'}, Path(sys.argv[1])), end='')"
    )
    (folder / "probe").mkdir()
    command = [sys.executable, "-c", program, str(folder / "probe")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
