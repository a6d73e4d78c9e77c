"""Puts the customers that fail aside, loads them last, and fails with those that fail again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"
INSERT = f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY} AND customer = %(customer)s"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def dead_letters_loaded():
    @task
    def load_orders(ds=None):
        dead_letters = []
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (ds,))
            cursor.execute("DELETE FROM orders WHERE dt = %s", (ds,))
            for number in range(8):
                customer = f"customer-{number}"
                cursor.execute("SAVEPOINT before_customer")
                try:
                    cursor.execute(INSERT, {"ds": ds, "customer": customer})
                except Exception:
                    cursor.execute("ROLLBACK TO SAVEPOINT before_customer")
                    dead_letters.append(customer)
            for customer in dead_letters:
                cursor.execute(INSERT, {"ds": ds, "customer": customer})

    load_orders()


dead_letters_loaded()
