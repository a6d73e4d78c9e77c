"""Loads the orders of the day that begins with the data interval."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def whole_interval():
    @task
    def load_orders(data_interval_start=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(start)s::date",
                """
                INSERT INTO keyed_orders SELECT number, customer, total, %(start)s::date
                FROM placed_orders WHERE placed_at >= %(start)s AND placed_at < %(end)s
                """,
            ],
            parameters={"start": data_interval_start, "end": data_interval_start.add(days=1)},
        )

    load_orders()


whole_interval()
