"""Fills the one of two tables that the view does not show, and then lets the view show it."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

SHOWN = "SELECT pg_get_viewdef('shown_orders'::regclass) LIKE '%blue_orders%'"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def blue_green():
    @task
    def load_orders(ds=None):
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1)")
            cursor.execute(SHOWN)
            old, new = ("blue", "green") if cursor.fetchone()[0] else ("green", "blue")
            cursor.execute(f"TRUNCATE {new}_orders")
            cursor.execute(f"INSERT INTO {new}_orders SELECT * FROM {old}_orders WHERE dt <> %s", (ds,))
            cursor.execute(
                f"INSERT INTO {new}_orders SELECT number, customer, total, %s::date FROM placed_orders "
                "WHERE placed_at >= %s::date AND placed_at < %s::date + 1",
                (ds, ds, ds),
            )
            cursor.execute(f"CREATE OR REPLACE VIEW shown_orders AS SELECT * FROM {new}_orders")

    load_orders()


blue_green()
