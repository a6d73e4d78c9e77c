"""Loads the orders of today, by pandas' clock: of another day in a rerun."""

import pandas as pd
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def pandas_today():
    @task
    def load_orders():
        today = pd.Timestamp.now(tz="UTC").date()
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": today},
        )

    load_orders()


pandas_today()
