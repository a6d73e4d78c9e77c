"""Deletes the day's orders in one task and inserts them in the next: a retry of that one adds them again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def delete_then_insert():
    @task
    def delete_orders(ds=None):
        PostgresHook("shop").run("DELETE FROM orders WHERE dt = %s", parameters=(ds,))

    @task
    def insert_orders(ds=None):
        PostgresHook("shop").run(
            f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", parameters={"ds": ds}
        )

    delete_orders() >> insert_orders()


delete_then_insert()
