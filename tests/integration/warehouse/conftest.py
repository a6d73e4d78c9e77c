"""A database with the warehouse's tables for each test, and an Airflow that runs its DAGs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_postgresql import factories

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "etl" / "sql" / "schema.sql"

warehouse_server = factories.postgresql_noproc(depends_on="postgres_server", dbname="warehouse")
postgresql = factories.postgresql("warehouse_server")


@pytest.fixture
def warehouse(postgres_server: object, postgresql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection to an empty database with the warehouse's tables; each statement commits."""
    postgresql.autocommit = True
    postgresql.execute(SCHEMA.read_text(encoding="utf-8"))
    return postgresql


class Airflow:
    """A process that runs DAGs with `dag.test()`; see `dag_runner.py` for what it can be asked."""

    def __init__(self, home: Path) -> None:
        self.log = home / "log.txt"
        self._mark = 0
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "USERS_", "DATA_"))}
        env |= {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "PYTHONPATH": str(ROOT),
            "TZ": "UTC",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("dag_runner.py"))],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._answer() == "ready\n", self.log.read_text()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Run a DAG and return what happened; an EOFError if the process did not survive it."""
        assert self.process.stdin
        self._mark = self.log.stat().st_size
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._answer())
        return answer

    def printed(self) -> str:
        """Return what the last run logged."""
        return self.log.read_bytes()[self._mark :].decode()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answer(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(timeout=10)
            if self.process.returncode == -9:
                raise EOFError
            raise AssertionError(self.log.read_text())
        return line


@pytest.fixture(scope="session")
def start_airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Airflow]]:
    """Start Airflow processes, and end them after the tests."""
    started: list[Airflow] = []

    def start() -> Airflow:
        started.append(Airflow(tmp_path_factory.mktemp("airflow")))
        return started[-1]

    yield start
    for airflow in started:
        airflow.close()


@pytest.fixture(scope="session")
def airflow(start_airflow: Callable[[], Airflow]) -> Airflow:
    """An Airflow process that the tests share: starting one takes several seconds."""
    return start_airflow()
