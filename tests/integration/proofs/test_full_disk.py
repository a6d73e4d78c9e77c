"""A folder for temporary files that is full is said, whatever fails of it first."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.integration.proofs.conftest import Project


@pytest.fixture
def cramped(make_project: Callable[..., Project]) -> Iterator[Project]:
    """A project whose temporary files have 300 kilobytes."""
    project = make_project()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(project.temporary)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield project
    subprocess.run(["umount", "-l", project.temporary], check=True)


@pytest.mark.deep
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_folder_is_said(cramped: Project, jobs: str) -> None:
    """In a sentence, with the way out; nothing is left there."""
    ended = cramped.run("prove", "dag_appends", "--law", "effect", "--law", "rerun", "--jobs", jobs)
    assert ended.status == 2, ended
    assert "no space left" in ended.err
    assert "Traceback" not in ended.err
    assert not list(cramped.temporary.iterdir())
