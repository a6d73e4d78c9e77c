"""Skips the sales that are there already, by a uuid that the database makes anew each time."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def uuid_conflict():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                f"""
                INSERT INTO uuid_sales (number, customer, dt)
                SELECT number, customer, %(ds)s
                {DAY}
                ON CONFLICT (id) DO NOTHING
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


uuid_conflict()
