"""Makes the whole table anew beside the old one, drops that, and only then puts the new one in its place."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

FRESH = "CREATE TABLE fresh_customers AS SELECT customer, count(*)::integer AS orders FROM placed_orders GROUP BY 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def swap_in_pieces():
    @task
    def count_orders():
        hook = PostgresHook("shop")
        hook.run(["DROP TABLE IF EXISTS fresh_customers", FRESH])
        hook.run("DROP TABLE IF EXISTS customers")
        hook.run("ALTER TABLE fresh_customers RENAME TO customers")

    count_orders()


swap_in_pieces()
