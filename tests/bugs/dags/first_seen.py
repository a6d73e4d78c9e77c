"""Notes the day on which each customer came first, which is the day that was loaded first."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def first_seen():
    @task
    def note_customers(ds=None):
        PostgresHook("shop").run(
            f"INSERT INTO first_days SELECT DISTINCT customer, %(ds)s::date {DAY} ON CONFLICT (customer) DO NOTHING",
            parameters={"ds": ds},
        )

    note_customers()


first_seen()
