"""Inserts the day's orders or updates those that are there, and deletes what has vanished upstream."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def upsert_tombstones():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                f"DELETE FROM keyed_orders WHERE dt = %(ds)s AND number NOT IN (SELECT number {DAY})",
                f"""
                INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}
                ON CONFLICT (number) DO UPDATE
                SET customer = EXCLUDED.customer, total = EXCLUDED.total, dt = EXCLUDED.dt
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


upsert_tombstones()
