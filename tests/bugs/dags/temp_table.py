"""Stages the day's orders in a temporary table, which each connection has to itself."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def temp_table():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "CREATE TEMP TABLE staging (LIKE keyed_orders) ON COMMIT DROP",
                f"INSERT INTO staging SELECT number, customer, total, %(ds)s::date {DAY}",
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                "INSERT INTO keyed_orders SELECT * FROM staging",
            ],
            parameters={"ds": ds},
        )

    load_orders()


temp_table()
