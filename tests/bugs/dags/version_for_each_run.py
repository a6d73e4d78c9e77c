"""Closes all versions of a day and opens new ones, whether or not anything changed."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders p WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def version_for_each_run():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "UPDATE order_versions SET valid_to = %(ds)s WHERE dt = %(ds)s AND valid_to IS NULL",
                f"INSERT INTO order_versions SELECT number, customer, total, %(ds)s, %(ds)s, NULL {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


version_for_each_run()
