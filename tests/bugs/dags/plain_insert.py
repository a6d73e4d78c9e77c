"""Adds the day's orders: a rerun adds them again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def plain_insert():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", parameters={"ds": ds}
        )

    load_orders()


plain_insert()
