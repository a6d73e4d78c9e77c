"""Replaces the day's orders with COPY, in one transaction, one at a time for each day."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def psycopg_copy():
    @task
    def load_orders(ds=None):
        with psycopg.connect(os.environ["SHOP_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (ds,))
            rows = cursor.execute(f"SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds}).fetchall()
            cursor.execute("DELETE FROM orders WHERE dt = %s", (ds,))
            with cursor.copy("COPY orders FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    load_orders()


psycopg_copy()
