"""Adds the day's total to yesterday's balance, which is nothing if yesterday is loaded later."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def balance_on_yesterday():
    @task
    def write_balance(ds=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO daily_totals
            SELECT %(ds)s::date, sum(total) + coalesce(
                (SELECT total FROM daily_totals WHERE dt = %(ds)s::date - 1), 0
            ) {DAY}
            ON CONFLICT (dt) DO UPDATE SET total = EXCLUDED.total
            """,
            parameters={"ds": ds},
        )

    write_balance()


balance_on_yesterday()
