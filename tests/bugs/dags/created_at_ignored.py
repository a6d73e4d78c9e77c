"""Lets the database note when a row was written, in a column that may differ."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def created_at_ignored():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM stamped_orders WHERE dt = %(ds)s",
                f"""
                INSERT INTO stamped_orders (number, customer, dt)
                SELECT number, customer, %(ds)s {DAY}
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


created_at_ignored()
