"""Replaces the day's sales with their lines, beside one of a fixed id for what is unknown."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def unknown_sale():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "INSERT INTO sales (id, customer) VALUES (-1, 'unknown') ON CONFLICT DO NOTHING",
                "DELETE FROM sale_lines WHERE sale_id = -1 AND part = 'unknown ' || %(ds)s",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                "INSERT INTO sale_lines (sale_id, part) SELECT id, number FROM sales WHERE dt = %(ds)s",
                "INSERT INTO sale_lines (sale_id, part) VALUES (-1, 'unknown ' || %(ds)s)",
            ],
            parameters={"ds": ds},
        )

    load_orders()


unknown_sale()
