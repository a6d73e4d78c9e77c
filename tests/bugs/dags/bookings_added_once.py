"""Adds the day's bookings, which are over when the day is, only if there are none: corrected ones never come."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def bookings_added_once():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                f"""
                INSERT INTO bookings SELECT number, total, %(ds)s::date, %(ds)s::date + 1 {DAY}
                AND NOT EXISTS (SELECT FROM bookings WHERE valid_from = %(ds)s)
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


bookings_added_once()
