"""Stages the day's orders in a table that all runs share."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def shared_staging():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            ["TRUNCATE staged_orders", f"INSERT INTO staged_orders SELECT number, customer, total, %(ds)s::date {DAY}"],
            parameters={"ds": ds},
        )
        hook.run(
            [
                "DELETE FROM orders WHERE dt = %(ds)s",
                "INSERT INTO orders SELECT number, customer, total, %(ds)s FROM staged_orders",
            ],
            parameters={"ds": ds},
        )

    load_orders()


shared_staging()
