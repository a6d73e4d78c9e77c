"""A folder of files that do something to who imports them: each is told of, and all others are looked at."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.check.conftest import Project
from tests.integration.check.nasty import HEAD, NASTY

pytestmark = pytest.mark.slow

MAIN = "from dagproof.cli import main; main(['check', '--select', 'DP001'])"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What is found in each of them, when all of them lie in one folder."""
    project = Project(tmp_path_factory.mktemp("strangers"))
    files = {f"{name}.py": source for name, (source, _) in NASTY.items()}
    files["helpers/__init__.py"] = ""
    checked = project.write(files, "[tool.dagproof.check]\ntimeout = 4\nmemory = 1000\n").check()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NASTY}
    for finding in checked["findings"]:
        found[Path(finding["path"]).stem].append(finding)
    assert checked["files"] == len(NASTY) + 1
    assert checked["unreadable"] == []
    return found


@pytest.mark.parametrize("name", NASTY)
def test_what_a_file_does_is_told_and_nothing_else(told: dict[str, list[dict[str, Any]]], name: str) -> None:
    """Each rule that finds something says what; no other file's doing gets in the way."""
    expected = NASTY[name][1]
    found = {finding["rule"]: finding["message"] for finding in told[name]}
    assert set(found) == set(expected)
    for rule, part in expected.items():
        assert part in found[rule]


@pytest.mark.parametrize(
    ("name", "confidence"),
    [("misses", "doubtful"), ("misses_provider", "doubtful"), ("misses_own", "certain"), ("wants", "doubtful")],
)
def test_what_may_be_our_own_fault_is_doubtful(
    told: dict[str, list[dict[str, Any]]], name: str, confidence: str
) -> None:
    """What is not installed here, or has no value here, may be there in production."""
    (finding,) = [finding for finding in told[name] if finding["rule"] == "import-error"]
    assert finding["confidence"] == confidence


def test_an_error_is_told_at_its_line(told: dict[str, list[dict[str, Any]]]) -> None:
    """Also of a file that hung, or crashed."""
    lines = {name: finding["line"] for name in ("hangs", "sleeps", "fails", "exits") for finding in told[name]}
    assert lines.pop("hangs") in (4, 5)  # a loop of two lines: Python 3.10 stands at the second one
    assert lines == {"sleeps": 5, "fails": 4, "exits": 5}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_check_is_ended(project: Project, number: int, tmp_path: Path) -> None:
    """By whatever signal, while a file hangs: neither a process nor a folder."""
    project.write({"hangs.py": HEAD + f"import subprocess\nopen({str(tmp_path / 'x')!r}).close()\nwhile True: pass\n"})
    (tmp_path / "x").touch()
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-c", "import signal; signal.signal(2, signal.default_int_handler)\n" + MAIN]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    check = subprocess.Popen(command, cwd=project.root, env=environment, stderr=subprocess.DEVNULL)
    assert wait_for(lambda: len(processes_naming(str(tmp_path / "tmp"))) >= 2), "the loader, and its child"
    os.kill(check.pid, number)
    check.wait()
    assert wait_for(lambda: not processes_naming(str(tmp_path / "tmp")))
    assert wait_for(lambda: not list((tmp_path / "tmp").iterdir()))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Say whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def processes_naming(text: str) -> list[str]:
    """The processes on whose command line a text stands."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and text.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found


def test_nothing_is_left_of_it(told: dict[str, list[dict[str, Any]]]) -> None:
    """No process that a file started, and no file that it wrote."""
    time.sleep(0.2)
    assert not processes_naming("sleep\x00600\x00")
    assert not Path("/tmp/dagproof-was-here").exists()
