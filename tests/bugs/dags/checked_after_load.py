"""Replaces the day's orders, and then refuses a day that has not twenty."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def checked_after_load():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
                "DELETE FROM orders WHERE dt = %(ds)s",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    @task
    def check(ds=None):
        found = PostgresHook("shop").get_first(f"SELECT count(*) {DAY}", parameters={"ds": ds})[0]
        if found != 20:
            raise ValueError(f"{found} orders")

    load_orders() >> check()


checked_after_load()
