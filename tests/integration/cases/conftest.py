"""Small DAG folders in the shapes that people reported, and the command as they would run it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.commands import Ended

CASES = Path(__file__).parents[2] / "cases" / "proofs"


@dataclass(frozen=True)
class Case:
    """A copy of one of the folders in `tests/cases/proofs`."""

    root: Path

    def run(self, *arguments: str, **env: str) -> Ended:
        """Run ``dagproof`` in the folder, as a user would."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        done = subprocess.run(
            [sys.executable, "-m", "dagproof.cli", *arguments],
            cwd=self.root,
            env=environment | {"PYTHONUTF8": "1", "NO_COLOR": "1"} | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def prove(self, dag_id: str, *laws: str, output: str = "json", arguments: tuple[str, ...] = ()) -> Ended:
        """Run ``dagproof prove`` for a DAG and these laws; all of them by default."""
        chosen = [argument for law in laws for argument in ("--law", law)]
        return self.run("prove", dag_id, *chosen, "--jobs", "1", "--output-format", output, *arguments)


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Case]:
    """Copy one of the folders by its name."""

    def copy(name: str) -> Case:
        root = tmp_path / name
        shutil.copytree(CASES / name, root)
        return Case(root)

    return copy
