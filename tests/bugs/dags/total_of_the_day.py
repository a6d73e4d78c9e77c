"""Writes the day's total; a balance is the sum of them, computed by the reader."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def total_of_the_day():
    @task
    def write_total(ds=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO daily_totals SELECT %(ds)s::date, sum(total) {DAY}
            ON CONFLICT (dt) DO UPDATE SET total = EXCLUDED.total
            """,
            parameters={"ds": ds},
        )

    write_total()


total_of_the_day()
