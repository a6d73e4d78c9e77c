"""Marks the day as loaded in the transaction that loads it, and loads it again all the same."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def marker_with_the_rows():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}",
                f"""
                INSERT INTO loads SELECT %(ds)s::date, count(*) {DAY}
                ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


marker_with_the_rows()
