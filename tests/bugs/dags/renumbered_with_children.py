"""Replaces the day's sales and their lines, which get new ids and follow each other."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def renumbered_with_children():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY}",
                """
                INSERT INTO sale_lines (sale_id, part)
                SELECT id, part
                FROM sales, (VALUES ('a'), ('b')) p (part)
                WHERE dt = %(ds)s
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


renumbered_with_children()
