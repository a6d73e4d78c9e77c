"""Writes down that a day is done, once it is."""

import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"
REPLACE = [
    "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
    "DELETE FROM orders WHERE dt = %(ds)s",
    f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
]


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def marker_after_load():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(REPLACE, parameters={"ds": ds})
        Path(os.environ["DATA_ROOT"], f"{ds}.done").touch()

    load_orders()


marker_after_load()
