"""Empties the table for each day."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def truncate_for_a_day():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            ["TRUNCATE orders", f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}"],
            parameters={"ds": ds},
        )

    load_orders()


truncate_for_a_day()
