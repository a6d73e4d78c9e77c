"""Merges the day's orders into the table, and deletes what has vanished upstream."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def merge():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                f"""
                MERGE INTO keyed_orders AS old
                USING (SELECT number, customer, total, %(ds)s::date AS dt {DAY}) AS new ON old.number = new.number
                WHEN MATCHED THEN UPDATE SET customer = new.customer, total = new.total, dt = new.dt
                WHEN NOT MATCHED THEN INSERT VALUES (new.number, new.customer, new.total, new.dt)
                """,
                f"DELETE FROM keyed_orders WHERE dt = %(ds)s AND number NOT IN (SELECT number {DAY})",
            ],
            parameters={"ds": ds},
        )

    load_orders()


merge()
