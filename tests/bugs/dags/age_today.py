"""Notes how old each order is, in days, on the day on which it is loaded."""

from datetime import datetime, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def age_today():
    @task
    def load_ages(ds=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO order_ages SELECT number, %(ds)s::date, %(now)s::date - placed_at::date {DAY}
            ON CONFLICT (number) DO UPDATE SET age = EXCLUDED.age
            """,
            parameters={"ds": ds, "now": datetime.now(timezone.utc)},
        )

    load_ages()


age_today()
