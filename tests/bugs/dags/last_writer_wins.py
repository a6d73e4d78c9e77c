"""Keeps each customer's latest order, which is that of the day that was loaded last."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def last_writer_wins():
    @task
    def note_customers(ds=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO latest_orders SELECT customer, max(number) {DAY} GROUP BY customer
            ON CONFLICT (customer) DO UPDATE SET number = EXCLUDED.number
            """,
            parameters={"ds": ds},
        )

    note_customers()


last_writer_wins()
