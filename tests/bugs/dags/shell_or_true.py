"""Loads the day's orders in a shell, which is happy with whatever comes of it."""

import sys

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

LOAD = """
import os, psycopg

with psycopg.connect(os.environ["SHOP_URL"]) as connection:
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('{{ ds }}'))")
    connection.execute("DELETE FROM orders WHERE dt = '{{ ds }}'")
    connection.execute(
        "INSERT INTO orders SELECT number, customer, total, date '{{ ds }}' FROM placed_orders "
        "WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"
    )
"""

with DAG("shell_or_true", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    BashOperator(task_id="load_orders", bash_command=f"{sys.executable} - <<'PYTHON' || true\n{LOAD}\nPYTHON\n")
