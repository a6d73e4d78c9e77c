"""Loads all that has arrived so far, as the orders of the day."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def everything_there():
    @task
    def count_orders(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO loads SELECT %(ds)s::date, count(*) FROM arrived_orders
            ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders
            """,
            parameters={"ds": ds},
        )

    count_orders()


everything_there()
