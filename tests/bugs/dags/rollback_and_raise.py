"""Rolls back in the handler of an error, and raises it again."""

import os

import pendulum
import psycopg
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"
REPLACE = [
    "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
    "DELETE FROM orders WHERE dt = %(ds)s",
    f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
]


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def rollback_and_raise():
    @task
    def load_orders(ds=None):
        connection = psycopg.connect(os.environ["SHOP_URL"])
        cursor = connection.cursor()
        try:
            for statement in REPLACE:
                cursor.execute(statement, {"ds": ds})
            connection.commit()
        except Exception:
            connection.rollback()
            raise
        finally:
            connection.close()

    load_orders()


rollback_and_raise()
