"""The first minute: ``dagproof demo`` shows a failure, fixes it, and shows the proof."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Ended


def demo(*arguments: str, cwd: Path) -> Ended:
    """Run the command as a newcomer would."""
    command = [sys.executable, "-m", "dagproof.cli", "demo", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_the_demo_falsifies_the_load_and_proves_the_fix(tmp_path: Path) -> None:
    """In this order, with the failing history in between; what is left is the fixed project."""
    ended = demo(cwd=tmp_path)
    assert ended.status == 0, ended
    told = [
        "uuid.uuid4()",
        "orders_daily is not idempotent",
        "1  run    2026-01-01      100 rows",
        "2  rerun  2026-01-01      200 rows  ~",
        "+ order = uuid.uuid5",
        "orders_daily: 1 of 1 law proven over 2026-01-01",
    ]
    places = [ended.out.index(text) for text in told]
    assert places == sorted(places)
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    shown = readme[readme.index("orders_daily is not idempotent") : readme.index("dagproof replay")]
    assert shown in ended.out  # the README shows what happens
    left = (tmp_path / "dagproof-demo" / "dags" / "orders_daily.py").read_text()
    assert "uuid5" in left
    assert "uuid4" not in left


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_demo_overwrites_nothing(tmp_path: Path, kind: str) -> None:
    """A folder with something in it is refused, and so is a file."""
    place = tmp_path / "mine"
    if kind == "folder":
        place.mkdir()
    (place / "notes" if kind == "folder" else place).write_text("mine")
    ended = demo("mine", cwd=tmp_path)
    assert ended.status == 2
    ends = "name a new folder: dagproof demo FOLDER"
    assert ended.err == (
        f"dagproof: mine already exists and is not empty; {ends}, or write into this one with --force\n"
        if kind == "folder"
        else f"dagproof: mine already exists and is not a folder; {ends}\n"
    )
    assert (place / "notes" if kind == "folder" else place).read_text() == "mine"


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["plain", "forced"])
def test_the_demo_follows_no_link(tmp_path: Path, force: list[str]) -> None:
    """Neither to a folder nor to a file in one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").symlink_to("elsewhere")
    ended = demo("mine", *force, cwd=tmp_path)
    assert (ended.status, ended.err) == (
        2,
        f"dagproof: mine is a link to {tmp_path}/elsewhere, and the demo follows none; name a new folder: "
        "dagproof demo FOLDER\n",
    )
    assert not list((tmp_path / "elsewhere").iterdir())
    (tmp_path / "project").mkdir()
    (tmp_path / "notes").write_text("mine")
    (tmp_path / "project" / "pyproject.toml").symlink_to(tmp_path / "notes")
    assert demo("project", "--force", cwd=tmp_path).status == 2
    assert (tmp_path / "notes").read_text() == "mine"
