"""Notes how old each order is, in days, at the end of its interval."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def age_at_interval_end():
    @task
    def load_ages(ds=None, data_interval_end=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO order_ages SELECT number, %(ds)s::date, %(now)s::date - placed_at::date {DAY}
            ON CONFLICT (number) DO UPDATE SET age = EXCLUDED.age
            """,
            parameters={"ds": ds, "now": data_interval_end},
        )

    load_ages()


age_at_interval_end()
