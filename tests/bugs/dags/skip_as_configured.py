"""Skips a day whose orders cannot be loaded, which is configured: somebody looks, and runs it again."""

import pendulum
from airflow.exceptions import AirflowSkipException
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"
REPLACE = [
    "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
    "DELETE FROM orders WHERE dt = %(ds)s",
    f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
]


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def skip_as_configured():
    @task
    def load_orders(ds=None):
        try:
            PostgresHook("shop").run(REPLACE, parameters={"ds": ds})
        except Exception as error:
            raise AirflowSkipException("the database is away") from error

    load_orders()


skip_as_configured()
