"""`dagproof init`, then `dagproof prove`: nobody edits anything in between."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

DAG = """
    import pendulum
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import dag, task

    from shop.sql import INSERT


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
    def orders_daily():
        @task
        def load(ds=None):
            hook = PostgresHook(postgres_conn_id="warehouse")
            hook.run(["DELETE FROM orders WHERE dt = %(ds)s", INSERT], parameters={"ds": ds})
            with open(f"/opt/airflow/landing/{ds}.txt", "w") as file:
                file.write(ds)

        load()


    orders_daily()
"""


@pytest.mark.slow
def test_a_healthy_project_is_proven_without_an_edit(tmp_path: Path) -> None:
    """One PostgreSQL connection, a schema, a fixed path, and a package below src."""
    files = {
        "dags/orders.py": DAG,
        "src/shop/__init__.py": "",
        "src/shop/sql.py": 'INSERT = "INSERT INTO orders (dt, amount) VALUES (%(ds)s, 1)"',
        "sql/schema.sql": "CREATE TABLE orders (dt date, amount integer);",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text).lstrip("\n"))
    commands = ["init"], ["prove", "orders_daily", "--law", "rerun", "--law", "effect", "--date", "2026-01-01"]
    for arguments in commands:
        done = subprocess.run(
            [sys.executable, "-m", "dagproof.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done
    assert "2 of 2 laws proven" in done.stdout
