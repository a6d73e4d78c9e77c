"""Replaces the day's orders under a lock, whether there are any or not."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def reload_locked():
    @task
    def load_orders(ds=None):
        of_day = {"ds": ds}
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%(ds)s))", of_day)
            cursor.execute("SELECT EXISTS (SELECT FROM orders WHERE dt = %(ds)s)", of_day)
            cursor.execute("DELETE FROM orders WHERE dt = %(ds)s", of_day)
            cursor.execute(f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", of_day)

    load_orders()


reload_locked()
