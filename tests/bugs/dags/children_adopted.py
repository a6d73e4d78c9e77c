"""Replaces the sales, and gives lines that have lost theirs to the latest one."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def children_adopted():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                """
                INSERT INTO kept_lines (number, sale_id)
                SELECT number, id
                FROM sales
                WHERE dt = %(ds)s
                ON CONFLICT (number) DO NOTHING
                """,
                "UPDATE kept_lines SET sale_id = (SELECT max(id) FROM sales) WHERE sale_id IS NULL",
            ],
            parameters={"ds": ds},
        )

    load_orders()


children_adopted()
