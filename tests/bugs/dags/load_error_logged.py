"""Logs the error of a load, and goes on."""

import logging

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
def load_error_logged():
    @task
    def load_orders(ds=None):
        try:
            PostgresHook("shop").run(REPLACE, parameters={"ds": ds})
        except Exception:
            logging.getLogger(__name__).exception("The orders of %s were not loaded", ds)

    load_orders()


load_error_logged()
