"""Makes room for the day: what is two days older goes."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def retention_by_date():
    @task
    def load_orders(ds=None):
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM keyed_orders WHERE dt <= %s::date - 2", (ds,))
            cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
            cursor.execute(f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds})

    load_orders()


retention_by_date()
