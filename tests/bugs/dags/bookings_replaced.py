"""Replaces the day's bookings, which are over when the day is."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def bookings_replaced():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM bookings WHERE valid_from = %(ds)s",
                f"INSERT INTO bookings SELECT number, total, %(ds)s::date, %(ds)s::date + 1 {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


bookings_replaced()
