"""Loads the day's orders into the partition of today: a later rerun gets another one."""

from datetime import datetime, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def partition_of_today():
    @task
    def load_orders(ds=None):
        today = datetime.now(timezone.utc).date()
        PostgresHook("shop").run(
            [
                "DELETE FROM orders WHERE dt = %(today)s",
                f"INSERT INTO orders SELECT number, customer, total, %(today)s {DAY}",
            ],
            parameters={"ds": ds, "today": today},
        )

    load_orders()


partition_of_today()
