"""The cache: an unchanged file is not looked at again, and nothing else is ever taken from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.check import checking, sourcing
from tests.unit.check.conftest import POKES, Project

CALLS = """import pendulum
from airflow.sdk import dag, task
from helper import stamp

@dag(schedule=None)
def {name}():
    @task
    def load():
        return stamp()
    load()
{name}()
"""
CLOCK = "from datetime import datetime\ndef stamp():\n    return datetime.now()\n"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are really looked at."""
    seen: list[str] = []

    def look_at(module, *rest):
        seen.append(module.path.name)
        return sourcing.look_at(module, *rest)

    monkeypatch.setattr(checking, "look_at", look_at)
    return seen


def test_an_unchanged_file_is_not_looked_at_again(project: Project, looks: list[str]) -> None:
    """And gives the same findings; one that changed is."""
    project.write("a.py")
    project.write("b.py")
    first = project.check()
    assert looks == ["a.py", "b.py"]
    looks.clear()
    assert project.check() == first
    assert looks == []
    project.write("b.py", POKES + "# more\n")
    project.check()
    assert looks == ["b.py"]


def test_a_helper_that_changes_counts(project: Project, looks: list[str]) -> None:
    """Also one that comes to be, or goes away."""
    project.write("a.py", CALLS)
    assert project.found("dags/a.py") == []
    helper = project.root / "helper.py"
    helper.write_text(CLOCK)
    assert [rule for _, rule, _ in project.found("dags/a.py")] == ["wall-clock"]
    helper.write_text(CLOCK.replace("datetime.now()", "1"))
    assert project.found("dags/a.py") == []
    helper.write_text(CLOCK)
    assert len(project.found("dags/a.py")) == 1
    helper.unlink()
    assert project.found("dags/a.py") == []


def test_rules_and_options_count(project: Project) -> None:
    """What one selection found is not taken for another."""
    project.write("a.py")
    assert project.found("--select", "DP302") == []
    assert len(project.found("--select", "DP301")) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}', "\x00\xff"])
def test_a_cache_that_cannot_be_read_is_none(project: Project, content: str) -> None:
    """Whatever stands in it."""
    project.write("a.py")
    first = project.check()
    (path,) = (project.root / ".dagproof" / "cache").glob("check-*.json")
    path.write_text(content, encoding="latin-1")
    assert project.check() == first
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"rule"', '"ruler"').replace('"sources"', '"s"'), encoding="utf-8")
    assert project.check() == first


def test_no_cache_writes_none(project: Project) -> None:
    """With --no-cache."""
    project.write("a.py")
    project.check("--no-cache")
    assert not (project.root / ".dagproof").exists()


def test_a_project_that_cannot_be_written_has_its_cache_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the user's own place for such."""
    from dagproof.check.caching import cache_folder

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("os.access", lambda *arguments: False)
    assert cache_folder(Path("/nowhere")).parent == tmp_path / "dagproof"
