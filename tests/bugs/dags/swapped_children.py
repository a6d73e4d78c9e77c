"""Gives the first id the first line, though no order decides which sale has it."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def swapped_children():
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
                SELECT sales.id, 'part of ' || orders.number
                FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM sales WHERE dt = %(ds)s) AS sales
                JOIN (
                    SELECT number, row_number() OVER (ORDER BY number) AS n FROM placed_orders
                    WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1
                ) AS orders USING (n)
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


swapped_children()
