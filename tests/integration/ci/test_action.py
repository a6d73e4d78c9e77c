"""The GitHub Action: its steps are run as the runner would, without what only the service has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}

HEALTHY = """\
from datetime import timedelta

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DEFAULTS = {"retries": 2, "execution_timeout": timedelta(minutes=5)}


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, default_args=DEFAULTS)
def load_orders():
    @task
    def load(ds=None):
        statements = ["DELETE FROM orders WHERE dt = %(ds)s", "INSERT INTO orders VALUES (1, %(ds)s)"]
        PostgresHook("shop").run(statements, parameters={"ds": ds})

    load()


load_orders()
"""
CLOCK = HEALTHY.replace("VALUES (1, %(ds)s)", "VALUES (1, now()::date)")
CONFIG = """\
[tool.dagproof.world]
schema = ["schema.sql"]
connections = { shop = "{postgres}" }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a healthy DAG."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "load_orders.py").write_text(HEALTHY)
    (tmp_path / "schema.sql").write_text("CREATE TABLE orders (id integer, dt date);\n")
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    return tmp_path


def run(name: str, project: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does: `bash -e -o pipefail`, with the inputs in its environment."""
    given = {key: entry["default"] for key, entry in ACTION["inputs"].items()}
    given |= {key.replace("_", "-"): value for key, value in inputs.items()}
    step: dict[str, Any] = STEPS[name]
    env = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m[1]], text) for key, text in step["env"].items()
    }
    assert not any("${{" in text for text in env.values()), env
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=project,
        env={**os.environ, **env, "PATH": path, "GITHUB_STEP_SUMMARY": str(project / "summary.md")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_no_input_becomes_part_of_a_script() -> None:
    """A title or a branch could hold shell commands: inputs reach a script through its environment alone."""
    assert not any("${{" in step.get("run", "") for step in STEPS.values())


def test_the_check_annotates(project: Path) -> None:
    """A healthy folder passes; a finding is an annotation at its line, and the step fails."""
    assert run("Check", project, dags="dags", check_options="--no-import").returncode == 0
    (project / "dags" / "load_orders.py").write_text(CLOCK)
    ended = run("Check", project, check_options="--no-import")
    assert ended.returncode == 1, ended
    assert re.search(r"^::(error|warning) .*file=dags/load_orders.py,line=\d+", ended.stdout, re.MULTILINE), ended


@pytest.mark.slow
def test_the_proof_is_the_summary_of_the_job(project: Path) -> None:
    """Its text, and the page; the step fails with the proof, and names what it could not prove."""
    ended = run("Prove", project, prove="all", prove_options="--law rerun --date 2026-01-01")
    assert ended.returncode == 0, ended
    assert "✓ load_orders  1 of 1 law proven" in (project / "summary.md").read_text()
    assert (project / "dagproof.html").exists()
    (project / "dags" / "load_orders.py").write_text(HEALTHY.replace('"DELETE FROM orders WHERE dt = %(ds)s", ', ""))
    (project / "summary.md").unlink()
    ended = run("Prove", project, dags="dags", prove="load_orders", prove_options="--law rerun --date 2026-01-01")
    assert ended.returncode == 1, ended
    summary = (project / "summary.md").read_text()
    assert "load_orders is not idempotent" in summary
    assert summary.startswith("```text\n")
    assert summary.endswith("```\n")


def test_the_hook_checks_the_folder(project: Path) -> None:
    """The command of `.pre-commit-hooks.yaml`, with the argument that the documentation shows."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["pass_filenames"] is False
    program = Path(sys.executable).with_name("dagproof")
    command = [program, *hook["entry"].split()[1:], "dags"]
    assert subprocess.run(command, cwd=project, check=False).returncode == 0
    (project / "dags" / "load_orders.py").write_text(CLOCK)
    assert subprocess.run(command, cwd=project, check=False).returncode == 1
