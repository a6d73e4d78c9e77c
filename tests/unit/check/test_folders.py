"""Which files of a folder are looked at: ``.airflowignore``, archives, and what can't be read."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from dagproof.source.files import python_files
from tests.unit.check.conftest import POKES, Project


def names(folder: Path, syntax: str = "glob") -> set[str]:
    """The files that are found below a folder."""
    return {path.relative_to(folder).as_posix() for path in python_files([folder], syntax=syntax).files}


def make(folder: Path, *files: str) -> None:
    """Make empty files."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("", {"a.py", "b.py", "sub/a.py", "sub/deep/c.py"}),
        ("a.py", {"b.py", "sub/deep/c.py"}),
        ("/a.py", {"b.py", "sub/a.py", "sub/deep/c.py"}),
        ("sub/", {"a.py", "b.py"}),
        ("sub/*.py", {"a.py", "b.py", "sub/deep/c.py"}),
        ("*\n!b.py", {"b.py"}),
        ("*.py\n!a.py", {"a.py", "sub/a.py"}),
        ("# a.py\nb.py  # not this one", {"a.py", "sub/a.py", "sub/deep/c.py"}),
        ("**/deep", {"a.py", "b.py", "sub/a.py"}),
        ("/", {"a.py", "b.py", "sub/a.py", "sub/deep/c.py"}),
    ],
)
def test_globs_leave_files_out(tmp_path: Path, ignore: str, left: set[str]) -> None:
    """As in .gitignore; the last rule that speaks of a file wins."""
    make(tmp_path, "a.py", "b.py", "sub/a.py", "sub/deep/c.py")
    (tmp_path / ".airflowignore").write_text(ignore)
    assert names(tmp_path) == left


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("a", {"b.py", "sub/deep/c.py"}),
        ("^a", {"b.py", "sub/a.py", "sub/deep/c.py"}),
        ("sub/d.*", {"a.py", "b.py", "sub/a.py"}),
        ("(", {"a.py", "b.py", "sub/a.py", "sub/deep/c.py"}),
    ],
)
def test_regular_expressions_leave_files_out(tmp_path: Path, ignore: str, left: set[str]) -> None:
    """Searched in the path below the DAG folder; one that is none is passed over, as Airflow does."""
    make(tmp_path, "a.py", "b.py", "sub/a.py", "sub/deep/c.py")
    (tmp_path / ".airflowignore").write_text(ignore)
    assert names(tmp_path, syntax="regexp") == left


def test_a_folder_has_rules_of_its_own_and_those_around_it(tmp_path: Path) -> None:
    """Also where just that folder is looked at."""
    make(tmp_path, "sub/a.py", "sub/b.py", "sub/c.py")
    (tmp_path / ".airflowignore").write_text("a.py")
    (tmp_path / "sub" / ".airflowignore").write_text("b.py")
    assert names(tmp_path) == {"sub/c.py"}
    found = python_files([tmp_path / "sub"], top=tmp_path).files
    assert [path.name for path in found] == ["c.py"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_airflow_agrees(tmp_path: Path) -> None:
    """Where it is installed, it finds the same files."""
    discovery = pytest.importorskip("airflow._shared.module_loading.file_discovery")
    make(tmp_path, "a.py", "b.py", "sub/a.py", "sub/deep/c.py", "sub/x/y.py")
    for syntax, ignores in {
        "glob": ["a.py", "/a.py", "sub/", "sub/*.py", "*\n!b.py", "*.py\n!a.py", "**/deep", "sub/**/c.py", "x"],
        "regexp": ["a", "^a", "sub/d.*", "y$", "sub/x"],
    }.items():
        for ignore in ignores:
            (tmp_path / ".airflowignore").write_text(ignore)
            theirs = discovery.find_path_from_directory(tmp_path, ".airflowignore", syntax)
            expected = {Path(path).relative_to(tmp_path).as_posix() for path in theirs if path.endswith(".py")}
            assert names(tmp_path, syntax=syntax) == expected, (syntax, ignore)


def test_the_syntax_is_that_of_the_users_airflow(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, or its configuration file."""
    project.write("a.py")
    (project.dags / ".airflowignore").write_text("^a")
    assert len(project.found()) == 1
    monkeypatch.setenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", "regexp")
    assert project.call()[0] == 2
    monkeypatch.delenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX")
    (project.root / "airflow.cfg").write_text("[core]\ndag_ignore_file_syntax = regexp\n")
    monkeypatch.setenv("AIRFLOW_HOME", str(project.root))
    assert project.call()[0] == 2


def test_dags_in_archives_are_looked_at(project: Project) -> None:
    """Told as if the archive were a folder, with the code; modules beside them are followed."""
    with zipfile.ZipFile(project.dags / "bundle.zip", "w") as archive:
        archive.writestr("orders.py", POKES + "    helper()\n")
        archive.writestr("clock.py", "def x(): pass\n")
        archive.writestr("deep/inside.py", POKES)
    status, out, _ = project.call()
    assert status == 1
    assert out.startswith("dags/bundle.zip/orders.py:6:5: DP301")
    assert '6 |     FileSensor(task_id="wait"' in out
    assert out.endswith("1 finding in 2 files\n")


def test_what_cannot_be_read_is_told_with_its_reason(project: Project) -> None:
    """An archive that is none, a folder that is closed; all else is looked at."""
    project.write("a.py")
    (project.dags / "bundle.zip").write_bytes(b"no archive")
    told = project.check()
    assert [one["path"] for one in told["unreadable"]] == ["dags/bundle.zip"]
    assert len(told["findings"]) == 1


def test_a_closed_folder_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; root, who may read everything, is told so by the system's own call."""
    (project.dags / "closed").mkdir()
    project.write("a.py")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert project.check()["unreadable"] == [{"path": "dags/closed", "reason": "it cannot be read: Permission denied"}]
