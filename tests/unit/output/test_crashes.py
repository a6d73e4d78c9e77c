"""A crash is no verdict: exit status 3, one sentence, and a file with the traceback, for every subcommand."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagproof import cli
from dagproof.cli import main
from dagproof.errors import CrashError, DagproofError
from dagproof.output import crashes
from dagproof.proof import jobs

SENTENCE = (
    r"dagproof: this is a bug in dagproof, so there is no verdict \(KeyError: 'no \\x1b one'\); please report it to "
    r"its maintainers with the file (?P<file>\S+/dagproof-crash-\w+\.txt)\n"
)
EACH = [
    pytest.param(["check", "--no-import"], "dagproof.check.command.load_config", id="check"),
    pytest.param(["prove", "orders"], "dagproof.proof.jobs.prove", id="prove"),
    pytest.param(["replay", "0a1b2c"], "dagproof.proof.prover.replay", id="replay"),
    pytest.param(["demo", "new"], "dagproof.demo.demo", id="demo"),
    pytest.param(["init"], "dagproof.init.init", id="init"),
    pytest.param(["explain", "rerun"], "dagproof.explain.text.explanation", id="explain"),
    pytest.param(["rules"], "dagproof.explain.text.summary", id="rules"),
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def fails(*arguments: object, **options: object) -> Any:
    """A fault of ours."""
    raise KeyError("no \x1b one")


@pytest.mark.parametrize(("arguments", "what"), EACH)
def test_a_crash_is_status_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str
) -> None:
    """One sentence that names a file; neither findings nor a verdict."""
    monkeypatch.setattr(what, fails)
    assert main(arguments) == 3
    out, err = capsys.readouterr()
    assert out == ""
    found = re.fullmatch(SENTENCE, err)
    assert found, err
    text = Path(found["file"]).read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text
    assert f"arguments: {arguments!r}" in text
    assert Path(found["file"]).stat().st_mode & 0o077 == 0


def test_every_subcommand_is_tried() -> None:
    """One that is new belongs into the list above."""
    actions = [action for action in cli._parser()._actions if action.choices]
    tried: set[Any] = {case.values[0][0] for case in EACH}  # type: ignore[index]  # lists of arguments
    assert tried == set(actions[0].choices or ())


def test_a_crash_in_a_parallel_job_is_one_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the traceback of that process."""
    monkeypatch.setattr(jobs, "_PROGRAM", "from dagproof.proof import jobs; jobs.open_prover = None; jobs.main()")
    monkeypatch.setenv("PYTHONPATH", "")
    assert main(["prove", "orders", "--jobs", "2"]) == 3
    err = capsys.readouterr().err
    found = re.fullmatch(
        r"dagproof: this is a bug in dagproof, so there is no verdict \(TypeError: 'NoneType' object is not callable\);"
        r" please report it to its maintainers with the file (\S+)\n",
        err,
    )
    assert found, err
    assert "in _serve" in Path(found[1]).read_text(encoding="utf-8")


def test_without_a_place_for_it_the_traceback_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below the sentence."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    monkeypatch.setattr("dagproof.explain.text.explanation", fails)
    assert main(["explain", "rerun"]) == 3
    err = capsys.readouterr().err
    assert "; please report it to its maintainers with this traceback:\ndagproof " in err
    assert err.rstrip().endswith(r"KeyError: 'no \x1b one'")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device", "/tmp/x"),
            "no space left for /tmp/x; free some, or set TMPDIR to a folder with more",
            id="full",
        ),
        pytest.param(
            OSError(errno.EMFILE, "Too many open files"),
            "no more files can be opened; raise the limit (`ulimit -n`), or use fewer --jobs",
            id="files",
        ),
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied", b"a\x1b\xff"),
            r"a\x1b\udcff cannot be used (Permission denied)",
            id="closed",
        ),
        pytest.param(MemoryError(), "out of memory; check fewer files at once, or prove with --jobs 1", id="memory"),
    ],
)
def test_what_the_machine_lacks_is_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, sentence: str
) -> None:
    """No fault of ours: one sentence, with the way out."""

    def lacks(*arguments: object) -> Any:
        raise error

    monkeypatch.setattr("dagproof.explain.text.explanation", lacks)
    assert main(["explain", "rerun"]) == 2
    assert capsys.readouterr().err == f"dagproof: {sentence}\n"


def test_a_crash_travels_between_processes() -> None:
    """As the same."""
    import pickle

    error = pickle.loads(pickle.dumps(CrashError("what", "trace")))
    assert (error.what, error.trace) == ("what", "trace")
    assert not isinstance(error, DagproofError)
    assert crashes.understood(error) is None


def test_a_terminal_of_ascii_gets_its_report(tmp_path: Path) -> None:
    """And so does a file of Latin-1; no character ends the command."""
    program = [sys.executable, "-m", "dagproof.cli"]
    for encoding in ("ascii", "latin-1"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        (tmp_path / "dags").mkdir(exist_ok=True)
        (tmp_path / "dags" / "x.py").write_text("from airflow.sdk import DAG\nDAG('日本é', schedule=None, x=1)\n")
        done = subprocess.run(
            [*program, "check", "--no-import", "--all"], env=environment, capture_output=True, check=False
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done
        done = subprocess.run([*program, "check", "nowhere-日é"], env=environment, capture_output=True, check=False)
        assert done.returncode == 2, done
        assert done.stderr.endswith(b"does not exist; name a DAG file or a folder of them\n")


def test_html_is_written_before_printing_can_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal that takes nothing costs no report."""
    from dagproof.proof.verdicts import Proof

    monkeypatch.setattr(jobs, "prove", lambda *arguments, **options: Proof("orders", 0, (), (), 0.0))
    monkeypatch.setattr("dagproof.cli.say", fails)
    with pytest.raises(KeyError):  # the sentence about that cannot be printed, either
        main(["prove", "orders", "--html", "proof.html"])
    assert "<title>dagproof: orders</title>" in (tmp_path / "proof.html").read_text()


def test_no_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it was that failed first: it may be a process that died of it."""
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(1, 1, 0))
    assert main(["explain", "rern"]) == 2
    assert capsys.readouterr().err == (
        "dagproof: there is no rule or law 'rern'; did you mean 'rerun'?; no space left in "
        f"{tmp_path}: free some, or set TMPDIR to another folder\n"
    )
