"""The fixture ``sandbox`` in somebody else's project: a DAG runs step by step, and the test looks at what it left."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

DAGS = """
import pendulum
import psycopg
from airflow.sdk import Connection, dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="@daily", start_date=START, catchup=True)
def orders():
    @task
    def arrive(ds=None):
        with open(f"{ds}.csv", "w") as file:
            file.write("1,shoe\\n2,hat\\n")

    arrive()


def load(replace):
    @task
    def load(ds=None):
        with psycopg.connect(Connection.get("postgres_default").get_uri().replace("postgres", "postgresql", 1)) as db:
            if replace:
                db.execute("DELETE FROM sales WHERE day = %s", [ds])
            with open(f"{ds}.csv") as file:
                for line in file:
                    number, what = line.strip().split(",")
                    db.execute("INSERT INTO sales VALUES (%s, %s, %s)", [ds, number, what])
        with open("last.txt", "w") as file:
            file.write(ds)

    load()


@dag(schedule="@daily", start_date=START, catchup=True)
def replaces():
    load(replace=True)


@dag(schedule="@daily", start_date=START, catchup=True)
def appends():
    load(replace=False)


orders(), replaces(), appends()
"""

TESTS = """
import datetime
import pytest

FIRST = {"day": datetime.date(2026, 1, 1), "number": 1, "what": "shoe"}


def test_rows_and_files_step_by_step(sandbox):
    shop = sandbox("replaces")
    assert shop.rows("sales") == []
    assert shop.run("2026-01-01").names == {"sales", "last.txt"}
    assert shop.rows("sales")[0] == FIRST
    assert (shop.files / "last.txt").read_text() == "2026-01-01"
    shop.run("2026-01-02")
    assert len(shop.rows("public.sales")) == 4
    assert not shop.clear("2026-01-02", "load")
    assert shop.backfill("2026-01-04")
    assert shop.rerun("2026-01-01").names == {"last.txt"}
    (shop.files / "2026-01-01.csv").write_text("3,sock\\n")
    shop.rerun("2026-01-01")
    assert shop.rows("sales")[0]["what"] == "sock"
    with pytest.raises(Exception, match=r"2026-01-01 has run in this sandbox; use rerun\\('2026-01-01'\\)"):
        shop.run("2026-01-01")
    with pytest.raises(Exception, match=r"2026-01-03 has not run .*: 2026-01-01, 2026-01-02, 2026-01-04"):
        shop.rerun("2026-01-03")


def test_each_sandbox_is_a_new_world(sandbox):
    assert sandbox("replaces").rows("sales") == []


def test_a_rerun_that_appends(sandbox):
    shop = sandbox("appends")
    shop.run("2026-01-01")
    assert not shop.rerun("2026-01-01")


def test_a_sandbox_is_the_one_world(sandbox, prove):
    sandbox("replaces")
    with pytest.raises(Exception, match="this test has a sandbox open, and a proof needs worlds of its own"):
        prove("replaces").rerun()
    with pytest.raises(Exception, match="has a sandbox open already"):
        sandbox("appends")


def test_then_a_law_is_proven(prove):
    prove("replaces").rerun()


def test_a_run_that_fails(sandbox):
    shop = sandbox("appends")
    shop.run("2026-01-01")
    (shop.files / "2026-01-01.csv").write_text("no number,shoe\\n")
    shop.rerun("2026-01-01")
"""

SETTINGS = """
[tool.pytest.ini_options]
addopts = "-ra -p no:cacheprovider"
[tool.dagproof]
dags = "dags"
[tool.dagproof.world]
schema = ["schema.sql"]
connections = { postgres_default = "{postgres}" }
[tool.dagproof.proofs.replaces]
after = ["orders"]
exempt = { rerun = ["last.txt"] }
[tool.dagproof.proofs.appends]
after = ["orders"]
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints in a project that uses the fixture."""
    root = tmp_path_factory.mktemp("project")
    (root / "dags").mkdir()
    (root / "dags" / "shop.py").write_text(DAGS)
    (root / "test_shop.py").write_text(TESTS)
    (root / "schema.sql").write_text("CREATE TABLE sales (day date, number int, what text);\n")
    (root / "pyproject.toml").write_text(SETTINGS)
    command = [sys.executable, "-m", "pytest", "test_shop.py"]
    env = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env).stdout


def test_a_world_is_looked_at_step_by_step(output: str) -> None:
    """Two tests fail on purpose, and only these."""
    assert "2 failed, 4 passed" in output, output


def test_a_failing_assertion_shows_what_the_step_changed(output: str) -> None:
    """Rows that came twice, by their content."""
    assert "sales   before: 2 rows   after: 4 rows; 2 duplicated, e.g. (day, number, what)" in output
    assert "FAILED test_shop.py::test_a_rerun_that_appends - AssertionError: assert not <changes: sales" in output


def test_a_run_that_fails_says_why(output: str) -> None:
    """In the words of a proof, and without our internals."""
    assert "src/dagproof/runs" not in output
    assert 'invalid input syntax for type integer: "no number"' in output
