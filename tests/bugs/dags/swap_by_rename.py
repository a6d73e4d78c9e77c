"""Makes the whole table anew beside the old one, and puts it in its place, in one transaction."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

FRESH = "CREATE TABLE fresh_customers AS SELECT customer, count(*)::integer AS orders FROM placed_orders GROUP BY 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def swap_by_rename():
    @task
    def count_orders():
        PostgresHook("shop").run(
            [
                "DROP TABLE IF EXISTS fresh_customers",
                FRESH,
                "DROP TABLE IF EXISTS customers",
                "ALTER TABLE fresh_customers RENAME TO customers",
            ]
        )

    count_orders()


swap_by_rename()
