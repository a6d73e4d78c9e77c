"""Replaces the day's sales and their lines, all of which get new uuids."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def uuid_reload():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM uuid_sales WHERE dt = %(ds)s",
                f"INSERT INTO uuid_sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY}",
                """
                INSERT INTO uuid_lines (sale_id, part)
                SELECT id, 'part of ' || number
                FROM uuid_sales
                WHERE dt = %(ds)s
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


uuid_reload()
