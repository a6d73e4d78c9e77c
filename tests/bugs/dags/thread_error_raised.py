"""Loads in a thread of a pool, and asks it for its error."""

from concurrent.futures import ThreadPoolExecutor

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"
REPLACE = [
    "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
    "DELETE FROM orders WHERE dt = %(ds)s",
    f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
]


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def thread_error_raised():
    @task
    def load_orders(ds=None):
        connection = PostgresHook("shop").get_conn()

        def load():
            with connection, connection.cursor() as cursor:
                for statement in REPLACE:
                    cursor.execute(statement, {"ds": ds})

        with ThreadPoolExecutor(1) as pool:
            pool.submit(load).result()
        connection.close()

    load_orders()


thread_error_raised()
