"""The plugin in somebody else's project: a test for each DAG file and rule."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dagproof.rules import all_rules

pytestmark = pytest.mark.slow

HEALTHY = """import pendulum
from airflow.sdk import DAG
from airflow.providers.standard.sensors.filesystem import FileSensor

with DAG("healthy", schedule=None, start_date=pendulum.datetime(2026, 1, 1)):
    FileSensor(task_id="wait", filepath="x", timeout=60, mode="reschedule")
"""
POKES = HEALTHY.replace("healthy", "pokes").replace(', mode="reschedule"', "")
FACTORY = """import helper
from airflow.sdk import DAG

with DAG("factory", schedule=None):
    helper.make()
"""
HELPER = """from airflow.providers.standard.sensors.filesystem import FileSensor

def make():
    FileSensor(task_id="made", filepath="x", **dict([("timeout", 60)]))
"""
FAILURE = """\
dags/pokes.py:6:5: DP301 poke-sensor: the sensor 'wait' holds a worker slot while it waits; set mode="reschedule"
  |
5 | with DAG("pokes", schedule=None, start_date=pendulum.datetime(2026, 1, 1)):
6 |     FileSensor(task_id="wait", filepath="x", timeout=60)
  |     ^
7 |
  |
  = in task wait of DAG pokes
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a healthy file, one that breaks a rule, and one that does so when it is loaded."""
    root = tmp_path_factory.mktemp("project")
    (root / "dags").mkdir()
    files = {"healthy": HEALTHY, "pokes": POKES, "factory": FACTORY, "helper": HELPER, "notes": "x = 1\n"}
    for name, source in files.items():
        (root / "dags" / f"{name}.py").write_text(source)
    (root / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\naddopts = '-p no:cacheprovider --strict-markers'\ndagproof_dags = 'dags'\n"
        "[tool.dagproof]\nselect = ['DP0', 'DP3']\n"
    )
    return root


def run_pytest(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in `root`, as a person would."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


CHOSEN = [rule for rule in all_rules() if rule.code.startswith(("DP0", "DP3"))]


@pytest.fixture(scope="module")
def run(project: Path) -> str:
    """What one run of all rules prints."""
    done = run_pytest(project, "-v", "-m", "rules")
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_there_is_a_test_for_each_file_and_rule(run: str) -> None:
    """With a name that says both; files that Airflow does not look at have none."""
    outcomes = dict(re.findall(r"^(dags/\S+) (PASSED|FAILED)", run, re.MULTILINE))
    assert set(outcomes) == {
        f"dags/{name}.py::{rule.name}" for name in ("healthy", "pokes", "factory") for rule in CHOSEN
    }
    failed = {name for name, outcome in outcomes.items() if outcome == "FAILED"}
    assert failed == {"dags/pokes.py::poke-sensor", "dags/factory.py::poke-sensor"}


def test_a_failing_test_prints_the_finding_and_nothing_of_our_internals(run: str) -> None:
    """The same text as dagproof check; the summary has its first line."""
    assert FAILURE in run
    assert "site-packages" not in run
    assert "ruling.py" not in run
    assert "FAILED dags/pokes.py::poke-sensor - dags/pokes.py:6:5: DP301" in run


def test_the_header_says_how_many_files_and_from_where(run: str, project: Path) -> None:
    """The setting, and the file that it stands in."""
    where = f"(dagproof_dags in {project / 'pyproject.toml'})"
    assert f"dagproof: DAGs in {project / 'dags'} {where}" in run


def test_xdist_gives_the_same_outcome(project: Path) -> None:
    """With two workers."""
    done = run_pytest(project, "-m", "rules", "-n", "2")
    assert f"2 failed, {3 * len(CHOSEN) - 2} passed" in done.stdout
    assert FAILURE in done.stdout


def test_the_source_alone_may_be_looked_at(project: Path) -> None:
    """With an option: rules that need more are left out, and what only importing shows is not seen."""
    done = run_pytest(project, "-m", "rules", "--dagproof-no-import")
    of_source = [rule for rule in CHOSEN if not rule.needs_import]
    assert f"1 failed, {3 * len(of_source) - 1} passed" in done.stdout


def test_a_path_chooses_files(project: Path) -> None:
    """As for any test; -k does, too."""
    done = run_pytest(project, "-m", "rules", "--dagproof-no-import", "--co", "-q", "dags/pokes.py")
    assert {line.split("::")[0] for line in done.stdout.splitlines() if "::" in line} == {"dags/pokes.py"}
    done = run_pytest(project, "--dagproof-no-import", "-m", "rules", "-k", "healthy and poke-sensor")
    assert "1 passed" in done.stdout


def test_a_wrong_configuration_is_a_usage_error(tmp_path: Path) -> None:
    """In one sentence."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "a.py").write_text(HEALTHY)
    (tmp_path / "pyproject.toml").write_text("[tool.dagproof]\nselect = ['poke-senser']\n")
    done = run_pytest(tmp_path, "--dagproof-dags=dags", "-m", "rules")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "did you mean 'poke-sensor'?" in done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
