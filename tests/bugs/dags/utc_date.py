"""Dates each order in UTC."""

from datetime import datetime, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def utc_date():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        orders = hook.get_records(
            f"SELECT number, customer, total, extract(epoch FROM placed_at)::float {DAY}", {"ds": ds}
        )
        rows = []
        for number, customer, total, placed in orders:
            rows.append((number, customer, total, datetime.fromtimestamp(placed, tz=timezone.utc).date()))
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO keyed_orders VALUES (%s, %s, %s, %s)", rows)

    load_orders()


utc_date()
