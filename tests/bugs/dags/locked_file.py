"""Takes a lock on a file, which ends with the process."""

import fcntl
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def locked_file():
    @task
    def load_orders(ds=None):
        with Path(os.environ["DATA_ROOT"], f".{ds}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            PostgresHook("shop").run(
                [
                    "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                    f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}",
                ],
                parameters={"ds": ds},
            )

    load_orders()


locked_file()
