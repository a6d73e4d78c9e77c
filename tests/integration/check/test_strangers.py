"""A folder of files that do something to who imports them: each is told of, and all others are looked at."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.check.conftest import Project
from tests.integration.check.nasty import NASTY


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What is found in each of them, when all of them lie in one folder."""
    project = Project(tmp_path_factory.mktemp("strangers"))
    files = {f"{name}.py": source for name, (source, _) in NASTY.items()}
    files["helpers/__init__.py"] = ""
    checked = project.write(files, "[tool.dagproof.check]\ntimeout = 4\n").check()
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
    assert lines == {"hangs": 4, "sleeps": 5, "fails": 4, "exits": 5}


def test_nothing_is_left_of_it(told: dict[str, list[dict[str, Any]]]) -> None:
    """No process that a file started, and no file that it wrote."""
    time.sleep(0.2)
    commands = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                commands.append(entry.joinpath("cmdline").read_bytes())
            except OSError:
                continue
    assert b"sleep\x00600\x00" not in commands
    assert not Path("/tmp/dagproof-was-here").exists()
