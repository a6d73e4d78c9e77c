"""Skips the orders that are there already, although orders change upstream."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def conflict_hides_change():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                f"DELETE FROM keyed_orders WHERE dt = %(ds)s AND number NOT IN (SELECT number {DAY})",
                f"""
                INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}
                ON CONFLICT (number) DO NOTHING
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


conflict_hides_change()
