"""Makes the whole table anew, with identities from 1 on."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def identity_restarted():
    @task
    def load_orders():
        PostgresHook("shop").run(
            [
                "TRUNCATE numbered_orders RESTART IDENTITY",
                """
                INSERT INTO numbered_orders (number, customer, dt)
                SELECT number, customer, placed_at::date FROM placed_orders ORDER BY number
                """,
            ]
        )

    load_orders()


identity_restarted()
