"""Asks for the time, the host's name and a random number, for the log only."""

from datetime import datetime, timezone
from socket import gethostname
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def time_in_the_log():
    @task
    def load_orders(ds=None):
        print(f"{datetime.now(timezone.utc)} {gethostname()} loads {ds}, ticket {uuid4()}")
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


time_in_the_log()
