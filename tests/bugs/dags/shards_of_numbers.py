"""Replaces the day's sales, and puts them into shards by their numbers."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def shards_of_numbers():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                "DELETE FROM visits WHERE dt = %(ds)s",
                "INSERT INTO visits SELECT dt, number, customer, mod(number, 3) FROM sales WHERE dt = %(ds)s",
            ],
            parameters={"ds": ds},
        )

    load_orders()


shards_of_numbers()
