"""What dagproof needs of Airflow besides its public face is there, or its absence is one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DAG = """
from datetime import datetime

from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator

with DAG("any", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False):
    EmptyOperator(task_id="nothing")
"""

LOOK = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from dagproof.airflow import private

print([name for name, part in private.PARTS.items() if private._found(part) is None])
for command in (private.CHECK, private.PROVE):
    private.check(command)
with DAG("any"):
    assert private.given_to(EmptyOperator(task_id="nothing", retries=3))["retries"] == 3
with private.patched(run_task="another", clear_dags="another"):
    assert private.run_task == private.clear_dags == "another"
assert private.run_task != "another"
"""

#: Takes a name away from Airflow before anything else is imported.
SITE = """
import {module}
{deletion}
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with an Airflow of its own, and return how it ended."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {"AIRFLOW_HOME": str(cwd / "home"), "NO_COLOR": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=200)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one DAG."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "any.py").write_text(DAG)
    (tmp_path / "pyproject.toml").write_text('[tool.dagproof]\ndags = "dags"\npythonpath = ["lib"]\n')
    return tmp_path


def without(project: Path, module: str, *names: str) -> None:
    """Let this Airflow have no `names` in `module`."""
    (project / "lib").mkdir()
    deletion = "\n".join(f"del {module}.{name}" for name in names)
    (project / "lib" / "sitecustomize.py").write_text(SITE.format(module=module, deletion=deletion))


def test_every_part_is_there(tmp_path: Path) -> None:
    """In the Airflow that is installed, whichever of the supported ones it is."""
    done = run("-W", "ignore", "-c", LOOK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_nothing_else_imports_what_is_not_public() -> None:
    """But for `airflow.sdk`, each import of Airflow stands in `private.py`."""
    folder = Path(__file__).parents[3] / "src" / "dagproof" / "airflow"
    lines = [
        (path.name, line.strip())
        for path in sorted(folder.glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("from airflow", "import airflow"))
    ]
    assert lines
    assert [line for line in lines if not line[1].startswith("from airflow.sdk")] == []


@pytest.mark.parametrize(
    ("module", "name", "why"),
    [
        pytest.param("airflow.sdk.definitions.dag", "_run_task", "see what becomes of each task", id="of-the-sdk"),
        pytest.param(
            "airflow.models.taskinstance", "clear_task_instances", "clear a run as the UI does", id="of-the-models"
        ),
    ],
)
def test_a_name_that_is_gone_is_one_sentence(module: str, name: str, why: str, project: Path) -> None:
    """With the version, the name, what it was for, and the way out."""
    without(project, module, name)
    done = run("-m", "dagproof.cli", "prove", "any", "--jobs", "1", "--law", "rerun", cwd=project)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("dagproof: Airflow 3.")
    assert f" has no {module}.{name} any more, which dagproof needs to {why}" in sentence
    assert sentence.endswith("; use a supported version: 3.1 to 3.4")


def test_check_says_so_too(project: Path) -> None:
    """For what it needs itself: it has no use for what runs tasks."""
    without(project, "airflow.timetables.base", "TimeRestriction")
    done = run("-m", "dagproof.cli", "check", "--no-cache", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no airflow.timetables.base.TimeRestriction any more" in done.stderr
    assert done.stderr.count("\n") == 1


def test_check_does_without_what_only_runs_need(project: Path) -> None:
    """A DAG file is imported all the same."""
    without(project, "airflow.sdk.definitions.dag", "_run_task")
    done = run("-m", "dagproof.cli", "check", "--no-cache", cwd=project)
    assert done.returncode in (0, 1), done.stderr
    assert "any more" not in done.stderr
