"""Makes the whole table anew, in one transaction."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def truncate_insert():
    @task
    def load_orders():
        PostgresHook("shop").run(
            [
                "TRUNCATE orders",
                "INSERT INTO orders SELECT number, customer, total, placed_at::date FROM placed_orders",
            ]
        )

    load_orders()


truncate_insert()
