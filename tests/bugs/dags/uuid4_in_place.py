"""Replaces the day's orders, each of which gets a new key in Python; the configuration says so."""

from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def uuid4_in_place():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        orders = hook.get_records(f"SELECT number, customer {DAY}", {"ds": ds})
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1)")
            cursor.execute("DELETE FROM identified_orders WHERE dt = %s", (ds,))
            cursor.executemany(
                "INSERT INTO identified_orders VALUES (%s, %s, %s, %s)",
                [(str(uuid4()), number, customer, ds) for number, customer in orders],
            )

    load_orders()


uuid4_in_place()
