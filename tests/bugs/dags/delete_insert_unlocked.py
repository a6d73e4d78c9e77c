"""Replaces the day's orders in one transaction, in a table that has no key and under no lock."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def delete_insert_unlocked():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM orders WHERE dt = %(ds)s",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


delete_insert_unlocked()
