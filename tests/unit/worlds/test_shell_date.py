"""A shell's `date` tells the world's time, where it is asked for the current one."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from dagproof.worlds import shell_date

THEN = datetime(2031, 3, 1, 0, 30, tzinfo=timezone.utc).timestamp()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program is, beside a file of a known age."""
    folder = tmp_path_factory.mktemp("shell") / "b i n"
    shell_date.install(folder)
    (folder / "old").touch()
    os.utime(folder / "old", (86_400, 86_400))
    return folder


def told(folder: Path, command: str, *, ahead: bool = True) -> str:
    """What a shell prints for the command."""
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "TZ": "UTC"}
    if ahead:
        env[shell_date.AHEAD] = str(THEN - time.time())
    return subprocess.run(["sh", "-c", command], env=env, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("date +%F", "2031-03-01"),
        ("date -u '+%F %H:%M'", "2031-03-01 00:30"),
        ("date -Idate", "2031-03-01"),
        ("TZ=America/New_York date +%F", "2031-02-28"),
        ("date -d yesterday +%F", "2031-02-28"),
        ("date --date='1 day ago' +%F", "2031-02-28"),
        ("date --date '-1 month' +%F", "2031-02-01"),
        ("date -ud 'next year' +%F", "2032-03-01"),
        ("date +%F -d '+ 2 days'", "2031-03-03"),
        ("date -d 2025-05-05 +%F", "2025-05-05"),
        ("date -d '2025-05-05 -1 day' +%F", "2025-05-04"),
        ("date -d @0 +%F", "1970-01-01"),
        ("date -r old +%F", "1970-01-02"),
    ],
)
def test_it_tells_the_worlds_time(folder: Path, command: str, answer: str) -> None:
    """What is asked for by a date of its own, or of a file, stays what it is."""
    assert told(folder, command) == f"{answer}\n"


def test_without_a_world_it_is_the_systems(folder: Path) -> None:
    """As before the first run."""
    assert abs(int(told(folder, "date +%s", ahead=False)) - time.time()) < 60


def test_what_is_wrong_is_told_by_the_real_program(folder: Path) -> None:
    """With its own status."""
    with pytest.raises(subprocess.CalledProcessError) as raised:
        told(folder, "date -d nonsense")
    assert "invalid date" in raised.value.stderr
