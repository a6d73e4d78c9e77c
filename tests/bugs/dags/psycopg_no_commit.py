"""Replaces the day's orders over a connection of its own, and closes it without a commit."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def psycopg_no_commit():
    @task
    def load_orders(ds=None):
        connection = psycopg.connect(os.environ["SHOP_URL"])
        connection.execute("DELETE FROM orders WHERE dt = %s", (ds,))
        connection.execute(f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds})
        connection.close()

    load_orders()


psycopg_no_commit()
