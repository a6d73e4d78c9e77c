"""Gives each sale its line by the number of the order."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def children_by_number():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY}",
                "INSERT INTO sale_lines (sale_id, part) SELECT id, 'part of ' || number FROM sales WHERE dt = %(ds)s",
            ],
            parameters={"ds": ds},
        )

    load_orders()


children_by_number()
