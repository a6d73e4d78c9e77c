"""Loads the orders of the run's day, by a pandas timestamp made of it."""

import pandas as pd
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def pandas_day():
    @task
    def load_orders(ds=None):
        day = pd.Timestamp(ds).date()
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": day},
        )

    load_orders()


pandas_day()
