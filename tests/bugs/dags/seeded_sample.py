"""Keeps a sample of the day's orders: always the same of a day."""

import random

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def seeded_sample():
    @task
    def sample_orders(ds=None):
        hook = PostgresHook("shop")
        orders = hook.get_records(f"SELECT number, customer, total, %(ds)s::date {DAY} ORDER BY number", {"ds": ds})
        chosen = random.Random(ds).sample(orders, 5)
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO keyed_orders VALUES (%s, %s, %s, %s)", chosen)

    sample_orders()


seeded_sample()
