"""How the rules' tests look at DAG files that they make up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent, indent

import pytest

from dagproof.check.checking import check
from dagproof.rules import Finding, all_rules, rule_named

HEAD = """
import datetime, time, uuid, random, os
import pendulum
from airflow.sdk import DAG, dag, task
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.postgres.hooks.postgres import PostgresHook
START = pendulum.datetime(2026, 1, 1, tz="UTC")
"""

#: What is removed depends on it, and the tests are about the rules, not about what is installed.
NEWEST = (3, 3)

Look = Callable[..., list[Finding]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """What all rules find in dags/dag.py, and in the files beside it."""

    def looking(source: str, rule: str | None = None, files: Mapping[str, str] | None = None) -> list[Finding]:
        for name, text in {"dag.py": source, **(files or {})}.items():
            path = tmp_path / "dags" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        rules = [rule_named(rule)] if rule else all_rules()
        roots = [tmp_path / "dags", tmp_path]
        found = check([tmp_path / "dags" / "dag.py"], rules, base=tmp_path, roots=roots, airflow=NEWEST)
        assert not found.unreadable
        return list(found.findings)

    return looking


@pytest.fixture
def look_in_task(look: Look) -> Look:
    """What a rule finds in a task with a given body; `top` stands before the DAG."""

    def looking(body: str, rule: str, top: str = "", files: Mapping[str, str] | None = None) -> list[Finding]:
        work = indent(dedent(body).strip(), " " * 8)
        source = (
            f"{HEAD}{dedent(top)}\n"
            '@dag(schedule="@daily", start_date=START, catchup=True)\n'
            "def orders():\n    @task\n    def load(ds=None, ti=None):\n"
            f"{work}\n    load()\norders()\n"
        )
        compile(source, "dag.py", "exec")
        return look(source, rule, files)

    return looking


@pytest.fixture
def look_in_dag(look: Look) -> Look:
    """What a rule finds in a DAG with a given body; `top` stands before the DAG."""

    def looking(body: str, rule: str, top: str = "", files: Mapping[str, str] | None = None) -> list[Finding]:
        work = indent(dedent(body).strip(), " " * 4)
        line = 'with DAG("orders", schedule="@daily", start_date=START, catchup=True) as d:'
        source = f"{HEAD}{dedent(top)}\n{line}\n{work}\n"
        compile(source, "dag.py", "exec")
        return look(source, rule, files)

    return looking
