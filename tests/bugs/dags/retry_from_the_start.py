"""Removes the old rows at each try, in the transaction that adds the new ones."""

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
def retry_from_the_start():
    @task(retries=2)
    def load_orders(ds=None):
        PostgresHook("shop").run(REPLACE, parameters={"ds": ds})

    load_orders()


retry_from_the_start()
