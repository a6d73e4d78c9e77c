"""Loads what is not older than two weeks when it runs: a backfill finds everything too old."""

from datetime import datetime, timedelta, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def recent_only():
    @task
    def load_orders(ds=None):
        oldest = datetime.now(timezone.utc) - timedelta(days=14)
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                f"""
                INSERT INTO keyed_orders
                SELECT number, customer, total, %(ds)s::date {DAY} AND placed_at > %(oldest)s
                """,
            ],
            parameters={"ds": ds, "oldest": oldest},
        )

    load_orders()


recent_only()
