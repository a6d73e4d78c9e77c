"""Puts the day's lines below the unknown sale before it replaces the sales, and leaves them there."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def lines_left_unknown():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "INSERT INTO sales (id, customer) VALUES (-1, 'unknown') ON CONFLICT DO NOTHING",
                "UPDATE sale_lines l SET sale_id = -1 FROM sales s WHERE s.id = l.sale_id AND s.dt = %(ds)s",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                """
                INSERT INTO sale_lines (sale_id, part) SELECT id, number FROM sales WHERE dt = %(ds)s
                AND number::text NOT IN (SELECT part FROM sale_lines)
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


lines_left_unknown()
