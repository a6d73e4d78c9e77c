"""Keeps a checksum of the day's ids, which are new ones in each load."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def checksum_of_ids():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                "DELETE FROM sale_checks WHERE dt = %(ds)s",
                "INSERT INTO sale_checks SELECT dt, sum(id) FROM sales WHERE dt = %(ds)s GROUP BY dt",
            ],
            parameters={"ds": ds},
        )

    load_orders()


checksum_of_ids()
