"""A run is killed or held at the thing that it does to the files of its world. In processes of their own."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from dagproof.inside.plans import FilePlan

START = """
    import io, json, os, shutil, sys, tempfile
    from pathlib import Path
    from dagproof.inside.plans import FilePlan, FileWatch
    from dagproof.inside.fileops import FileOperations
    files = FileOperations(FileWatch({{"": {folder!r}}}, {plan!r}), lambda: "load")
    files.watch()
    os.chdir({folder!r})
"""
END = """
    print(json.dumps([seen.to_json() for seen in files.seen]))
"""
LOAD = """
    with open("orders.part", "w") as part:
        part.write("1,2")
    os.replace("orders.part", "orders.csv")
    Path("orders.csv").read_text()
    os.remove("old.csv")
"""
OPERATIONS = ["open orders.part", "rename to orders.csv", "remove old.csv"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A world's files: there is an old one."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "old.csv").write_text("0")
    return tmp_path / "files"


def program(folder: Path, plan: FilePlan | None, body: str) -> list[str]:
    """Return the command that watches the folder and does what `body` says."""
    start = textwrap.dedent(START).format(folder=str(folder), plan=plan)
    return [sys.executable, "-c", start + textwrap.dedent(body) + textwrap.dedent(END)]


def seen(folder: Path, body: str, plan: FilePlan | None = None) -> list[dict[str, str]]:
    """Return the file operations that are counted while `body` happens."""
    done = subprocess.run(program(folder, plan, body), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def test_what_is_written_moved_and_removed_counts(folder: Path) -> None:
    """In order, each with its task; what is only read does not."""
    assert seen(folder, LOAD) == [{"what": what, "task": "load"} for what in OPERATIONS]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        pytest.param('Path("new").write_text("x")', ["open new"], id="pathlib"),
        pytest.param('io.open("new", "ab").close()', ["open new"], id="append"),
        pytest.param('open("old.csv", "r+").close()', ["open old.csv"], id="update"),
        pytest.param('os.link("old.csv", "new")', ["link to new"], id="link"),
        pytest.param('os.truncate("old.csv", 0)', ["truncate old.csv"], id="truncate"),
        pytest.param('shutil.move("old.csv", "new")', ["rename to new"], id="move"),
        pytest.param('Path("new").touch()', ["open new"], id="touch"),
        pytest.param('Path("old.csv").touch()', [], id="touch-what-is-there"),
        pytest.param('open("new", "w", opener=os.open).close()', ["open new"], id="opener"),
        pytest.param('open("new", "w", opener=lambda *a: os.dup(2)).close()', ["open new"], id="opener-of-its-own"),
        pytest.param('os.close(os.open("old.csv", os.O_RDONLY))', [], id="descriptor-for-reading"),
        pytest.param('tempfile.TemporaryFile(dir=".").write(b"x")', [], id="file-without-a-name"),
        pytest.param('open("old.csv").close(); os.listdir("."); os.stat("old.csv")', [], id="reading"),
        pytest.param('open("../elsewhere", "w").close()', [], id="outside"),
    ],
)
def test_an_operation_counts_where_it_changes_the_world(folder: Path, body: str, what: list[str]) -> None:
    """Whichever function does it; what is outside the world's folder is nobody's business."""
    assert [operation["what"] for operation in seen(folder, body)] == what


WITH_NAMED_FILE = """
    with tempfile.NamedTemporaryFile("w", dir=".", suffix=".csv", delete=False) as part:
        part.write("1,2")
    os.replace(part.name, "orders.csv")
    print(os.path.basename(part.name))
"""
WITH_MKSTEMP = """
    number, name = tempfile.mkstemp(dir=".", suffix=".csv")
    with os.fdopen(number, "w") as part:
        part.write("1,2")
    os.replace(name, "orders.csv")
    print(os.path.basename(name))
"""


@pytest.mark.parametrize("body", [pytest.param(WITH_NAMED_FILE, id="named"), pytest.param(WITH_MKSTEMP, id="mkstemp")])
def test_a_temporary_file_counts_by_its_own_name(folder: Path, body: str) -> None:
    """It is opened once, and is there, empty, when a run is killed at that; the folder that it is in is not opened."""
    done = subprocess.run(program(folder, None, body), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    name, operations = done.stdout.splitlines()
    assert [operation["what"] for operation in json.loads(operations)] == [f"open {name}", "rename to orders.csv"]

    (folder / "orders.csv").unlink()
    killed = subprocess.run(program(folder, FilePlan(1, "kill"), body), capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert sorted((path.suffix, path.read_text()) for path in folder.iterdir()) == [(".csv", ""), (".csv", "0")]


@pytest.mark.parametrize(
    ("at", "left"),
    [
        pytest.param(1, {"old.csv": "0", "orders.part": ""}, id="open"),
        pytest.param(2, {"old.csv": "0", "orders.part": "1,2"}, id="rename"),
        pytest.param(3, {"old.csv": "0", "orders.csv": "1,2"}, id="remove"),
    ],
)
def test_a_run_is_killed_at_the_operation_that_was_planned(folder: Path, at: int, left: dict[str, str]) -> None:
    """A file that is opened is there, and empty; anything else has not happened yet."""
    done = subprocess.run(program(folder, FilePlan(at, "kill"), LOAD), capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert {path.name: path.read_text() for path in folder.iterdir()} == left


def test_a_run_that_comes_past_no_such_operation_ends_by_itself(folder: Path) -> None:
    """A plan for the ninth of three operations is never carried out."""
    assert len(seen(folder, LOAD, FilePlan(9, "kill"))) == len(OPERATIONS)


def test_a_run_is_held_until_it_may_go_on(folder: Path) -> None:
    """It says that it is there, waits with its file in place, and then goes on as if nothing had been."""
    reached, go = folder.parent / "reached", folder.parent / "go"
    plan = FilePlan(2, "hold", str(reached), str(go))
    with subprocess.Popen(program(folder, plan, LOAD), stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not reached.exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert sorted(os.listdir(folder)) == ["old.csv", "orders.part"]
        assert process.poll() is None
        go.touch()
        assert process.wait(30) == 0
    assert sorted(os.listdir(folder)) == ["orders.csv"]


FULL = FilePlan(1, "fail", error=errno.ENOSPC)
GONE = FilePlan(1, "fail", error=errno.ENOENT, of="read")


@pytest.mark.parametrize(
    ("plan", "body", "error"),
    [
        pytest.param(FULL, 'Path("new").write_text("x")', "ENOSPC", id="full"),
        pytest.param(FULL, 'with open("new", "wb") as f: f.write(b"x")', "ENOSPC", id="full-bytes"),
        pytest.param(FULL, 'open("new", "wb", buffering=0).write(b"x")', "ENOSPC", id="full-raw"),
        pytest.param(FULL, 'os.write(os.open("new", os.O_WRONLY | os.O_CREAT), b"x")', "ENOSPC", id="full-descriptor"),
        pytest.param(
            FULL,
            'with open(os.open("new", os.O_RDWR | os.O_CREAT), "w+b") as f: f.write(b"x")',
            "ENOSPC",
            id="full-both",
        ),
        pytest.param(FULL, 'os.replace("old.csv", "new")', "ENOSPC", id="full-rename"),
        pytest.param(FilePlan(1, "fail", error=errno.EACCES), 'open("new", "w")', "EACCES", id="denied"),
        pytest.param(FilePlan(1, "fail", error=errno.EACCES), 'os.remove("old.csv")', "EACCES", id="denied-removal"),
        pytest.param(GONE, 'Path("old.csv").read_text()', "ENOENT", id="gone"),
        pytest.param(GONE, 'os.open("old.csv", os.O_RDONLY)', "ENOENT", id="gone-descriptor"),
        pytest.param(FilePlan(1, "fail", error=errno.EIO, of="read"), 'open("old.csv").read()', "EIO", id="broken"),
        pytest.param(
            FilePlan(1, "fail", error=errno.EIO, of="read"),
            'for line in open("old.csv"): pass',
            "EIO",
            id="broken-lines",
        ),
    ],
)
def test_an_operation_meets_an_error_once(folder: Path, plan: FilePlan, body: str, error: str) -> None:
    """The one that a disk or a share would raise, when it would; at the next try it is gone."""
    twice = f"""
    import errno
    for expected in ({error!r}, None):
        met = None
        try:
            {body}
        except OSError as error:
            met = errno.errorcode[error.errno]
        assert met == expected, (met, expected)
        for name in ("new",):
            if os.path.exists(name): os.unlink(name) if {"replace" not in body} else os.rename(name, "old.csv")
    """
    seen(folder, twice, plan)


def test_an_error_that_lasts_is_met_by_the_same_file_each_time(folder: Path) -> None:
    """And by no other one; a full disk is full for all of them."""
    body = """
    for name in ("a", "b"):
        for _ in range(2):
            try:
                Path(name).write_text("x")
            except OSError as error:
                print(name, error.errno, file=sys.stderr)
    """
    for number, lines in ((errno.EACCES, 2), (errno.ENOSPC, 4)):
        plan = FilePlan(1, "fail", error=number, lasts=True)
        done = subprocess.run(program(folder, plan, body), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert len(done.stderr.split()) == 2 * lines
        (folder / "a").unlink(missing_ok=True)


def test_a_short_read_gives_less_and_loses_nothing(folder: Path) -> None:
    """As a read may: whoever goes on reading gets the rest."""
    (folder / "old.csv").write_text("0123456789")
    body = """
    number = os.open("old.csv", os.O_RDONLY)
    assert os.read(number, 10) == b"01234"
    assert os.read(number, 100) == b"56789"
    """
    plan = FilePlan(1, "fail", of="read")
    seen(folder, body, plan)
    seen(folder, 'assert open("old.csv").read() == "0123456789"', plan)
    seen(folder, 'assert open("old.csv", "rb", buffering=0).read(6) == b"012"', plan)
