"""Stages the day's orders in a table of the day's own, which it drops at both ends."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def staging_table_of_its_own():
    @task
    def load_orders(ds=None, ds_nodash=None):
        staging = f"staging_{ds_nodash}"
        with psycopg.connect(os.environ["SHOP_URL"], autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (ds,))
            connection.execute(f"DROP TABLE IF EXISTS {staging}")
            connection.execute(f"CREATE UNLOGGED TABLE {staging} (LIKE keyed_orders)")
            connection.execute(f"INSERT INTO {staging} SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds})
            with connection.transaction():
                connection.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
                connection.execute(f"INSERT INTO keyed_orders SELECT * FROM {staging}")
            connection.execute(f"DROP TABLE {staging}")

    load_orders()


staging_table_of_its_own()
