"""Stages the day's orders in rows of the day's own, under a lock that lasts for the connection."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def staging_by_day():
    @task
    def load_orders(ds=None):
        with psycopg.connect(os.environ["SHOP_URL"], autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (ds,))
            with connection.transaction():
                connection.execute("DELETE FROM staged_orders WHERE dt = %s", (ds,))
                connection.execute(
                    f"INSERT INTO staged_orders SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds}
                )
            with connection.transaction():
                connection.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
                connection.execute("INSERT INTO keyed_orders SELECT * FROM staged_orders WHERE dt = %s", (ds,))
            connection.execute("DELETE FROM staged_orders WHERE dt = %s", (ds,))

    load_orders()


staging_by_day()
