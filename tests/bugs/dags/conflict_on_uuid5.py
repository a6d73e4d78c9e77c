"""Skips the orders that are there already, by a key made of the order's number."""

from uuid import NAMESPACE_OID, uuid5

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def conflict_on_uuid5():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        orders = hook.get_records(f"SELECT number, customer {DAY}", {"ds": ds})
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO identified_orders VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
                [(str(uuid5(NAMESPACE_OID, str(number))), number, customer, ds) for number, customer in orders],
            )

    load_orders()


conflict_on_uuid5()
