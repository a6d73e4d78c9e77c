"""Replaces the day's orders without a lock; one of two runs at once is refused, and tried again."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def serializable():
    @task(retries=2)
    def load_orders(ds=None):
        with psycopg.connect(os.environ["SHOP_URL"]) as connection:
            connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            connection.execute("DELETE FROM orders WHERE dt = %s", (ds,))
            connection.execute(f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds})

    load_orders()


serializable()
