"""Fetches the day's orders; a source that does not answer fails the task with a reason."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def fetch_error_fails():
    @task
    def fetch_orders(ds=None):
        try:
            return PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        except Exception as error:
            raise RuntimeError(f"The orders of {ds} cannot be read") from error

    @task
    def load_orders(rows, ds=None):
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM visits WHERE dt = %s", (ds,))
            for place, (number, customer) in enumerate(rows):
                cursor.execute("INSERT INTO visits VALUES (%s, %s, %s, %s)", (ds, place, customer, number))

    load_orders(fetch_orders())


fetch_error_fails()
