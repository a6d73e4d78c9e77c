"""``python -m notebooks``: how far one has come, and to begin anew."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from notebooks import __main__ as command
from notebooks.course.sources import NOTEBOOKS

NAME = "00_set_up"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one notebook, and one of what a learner has done."""
    shutil.copyfile(NOTEBOOKS / f"{NAME}.ipynb", tmp_path / f"{NAME}.ipynb")
    monkeypatch.setattr(command, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("DAGPROOF_COURSE_WORK", str(tmp_path / "work"))
    (tmp_path / "work" / NAME).mkdir(parents=True)
    (tmp_path / "work" / "progress.txt").write_text("00 q1 correct\n03 q1 incorrect\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command; return its status, and what it prints to either side."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = command.main(arguments)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_start_shows_pictures_and_no_news(folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """JupyterLab is opened on the lesson, with notebooks that it trusts."""
    opened: list[list[str]] = []

    def jupyterlab(words: list[str], **_: Any) -> int:
        opened.append(words)
        return 0

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
    monkeypatch.setattr("subprocess.call", jupyterlab)
    notebook = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
    assert not NotebookNotary().check_signature(notebook)
    assert call("start", "0")[0] == 0
    assert NotebookNotary().check_signature(notebook)
    assert opened == [[sys.executable, "-m", "jupyterlab", command.WITHOUT_NEWS, f"{NAME}.ipynb"]]
    settings = json.loads(Path(command.WITHOUT_NEWS.partition("=")[2], "overrides.json").read_text(encoding="utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_status_says_what_is_next(folder: Path, call: Call) -> None:
    """A line for each lesson, and the first exercise that is not done."""
    status, out, _ = call("status")
    assert status == 0
    assert len(out.splitlines()) == len(list(NOTEBOOKS.glob("*.ipynb"))) + 2
    assert out.splitlines()[-1] == "Next: q2 in notebooks/00_set_up.ipynb"


def test_reset_begins_a_lesson_anew(folder: Path, call: Call) -> None:
    """Its notebook without outputs, nothing noted and nothing of its home left; the old notebook is kept."""
    mine = (folder / f"{NAME}.ipynb").read_text(encoding="utf-8").replace("A first run", "My own words")
    (folder / f"{NAME}.ipynb").write_text(mine, encoding="utf-8")
    status, out, _ = call("reset", "0")
    kept = folder / "work" / f"{NAME}_before_reset.ipynb"
    assert (status, str(kept) in out) == (0, True)
    assert out.splitlines()[-1].endswith(command.OPEN)
    assert kept.read_text(encoding="utf-8") == mine
    cells = json.loads((folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells)
    assert "My own words" not in str(cells)
    assert not (folder / "work" / NAME).exists()
    assert (folder / "work" / "progress.txt").read_text() == "03 q1 incorrect\n"


def test_a_lesson_that_there_is_not_is_told(folder: Path, call: Call) -> None:
    """With those that there are."""
    status, _, err = call("reset", "77")
    assert status == 2
    assert err.startswith("there is no lesson '77'; there is 00, ")
