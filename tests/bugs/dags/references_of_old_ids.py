"""Replaces the day's sales, which get new ids, and keeps references such as ORD-17 that have the old ones."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def references_of_old_ids():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                """
                INSERT INTO sale_messages SELECT number, to_jsonb('ORD-' || id), dt FROM sales WHERE dt = %(ds)s
                ON CONFLICT DO NOTHING
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


references_of_old_ids()
