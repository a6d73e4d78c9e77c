"""Logs the error of a load that fails on each day, and goes on."""

import logging

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def swallowed_error():
    @task
    def load_orders(ds=None):
        try:
            PostgresHook("shop").run(
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date, 'web' {DAY}", parameters={"ds": ds}
            )
        except Exception:
            logging.getLogger(__name__).exception("The orders of %s were not loaded", ds)

    load_orders()


swallowed_error()
