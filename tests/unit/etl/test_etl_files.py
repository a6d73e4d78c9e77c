"""A file appears whole or not at all, whatever happens to its writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from etl.files import atomic_write

ROOT = Path(__file__).parents[3]


def test_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    """Until then a reader sees the old content."""
    target = tmp_path / "new" / "users.csv"
    with atomic_write(target) as file:
        file.write(b"first")
        file.flush()
        assert not target.exists()
    with atomic_write(target) as file:
        file.write(b"2nd")
        file.flush()
        assert target.read_bytes() == b"first"
    assert target.read_bytes() == b"2nd"
    assert os.listdir(target.parent) == ["users.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    """Also one that is no Exception."""
    target = tmp_path / "users.csv"
    target.write_bytes(b"old")
    with pytest.raises(error), atomic_write(target) as file:
        file.write(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["users.csv"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A failure to flush or to rename is one of the block."""
    target = tmp_path / "users.csv"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"etl.files.os.{step}", fail)
    with pytest.raises(OSError, match="No space"), atomic_write(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["users.csv"]


def test_bytes_are_on_the_disk_before_they_get_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is: all bytes to the disk, rename, then the folder to the disk."""
    target = tmp_path / "users.csv"
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        synced = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        steps.append(
            f"sync {synced.name}: {synced.stat().st_size} bytes" if synced.is_file() else f"sync {synced.name}"
        )
        fsync(descriptor)

    def watched_replace(source: Path, to: Path) -> None:
        steps.append("rename")
        replace(source, to)

    monkeypatch.setattr("etl.files.os.fsync", watched_fsync)
    monkeypatch.setattr("etl.files.os.replace", watched_replace)
    with atomic_write(target) as file:
        file.write(b"x" * 5)
    assert steps == ["sync .users.csv.part: 5 bytes", "rename", f"sync {tmp_path.name}"]


def test_a_killed_writer_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """After SIGKILL the target is untouched, and the next writer clears what was left."""
    target = tmp_path / "users.csv"
    target.write_bytes(b"old")
    code = (
        "import os, sys, signal, pathlib; from etl.files import atomic_write\n"
        "with atomic_write(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half' * 1000); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", code, target], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    with atomic_write(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["users.csv"]


def test_two_writers_take_turns(tmp_path: Path) -> None:
    """What is there is always one writer's whole work, never a mix, and none of them fails."""
    target = tmp_path / "users.csv"
    failures: list[BaseException] = []
    seen: set[bytes] = set()

    def write(letter: bytes) -> None:
        try:
            for _ in range(10):
                with atomic_write(target) as file:
                    for _ in range(10):
                        file.write(letter * 1000)
                        file.flush()
                        time.sleep(0)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if target.exists():
            seen.add(target.read_bytes())
    for writer in writers:
        writer.join()
    assert not failures
    assert seen | {target.read_bytes()} <= {letter * 10_000 for letter in (b"a", b"b", b"c")}
    assert os.listdir(tmp_path) == ["users.csv"]
