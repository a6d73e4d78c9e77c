"""Inserts the day's orders into a table with a key: a second time, that fails."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def not_again():
    @task
    def load_orders(ds=None):
        insert = f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}"
        PostgresHook("shop").run(insert, parameters={"ds": ds})

    load_orders()


not_again()
