"""Appends to a log that is keyed by what happened, so that the same thing is noted once."""

from hashlib import sha256

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def log_deduplicated():
    @task
    def note_orders(ds=None):
        hook = PostgresHook("shop")
        orders = hook.get_records(f"SELECT number, customer, total {DAY}", {"ds": ds})
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO order_log VALUES (%s, %s, %s) ON CONFLICT (digest) DO NOTHING",
                [(sha256(repr(order).encode()).hexdigest(), ds, order[0]) for order in orders],
            )

    note_orders()


log_deduplicated()
