"""Adds the day's orders row by row over a connection of its own: a rerun adds them again."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def psycopg_autocommit():
    @task
    def load_orders(ds=None):
        with psycopg.connect(os.environ["SHOP_URL"], autocommit=True) as connection:
            for row in connection.execute(f"SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds}).fetchall():
                connection.execute("INSERT INTO orders VALUES (%s, %s, %s, %s)", row)

    load_orders()


psycopg_autocommit()
