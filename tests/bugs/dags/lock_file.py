"""Takes a lock file, which a run that is killed leaves behind."""

import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def lock_file():
    @task
    def load_orders(ds=None):
        lock = Path(os.environ["DATA_ROOT"], f".{ds}.lock")
        with lock.open("x"):
            PostgresHook("shop").run(
                [
                    "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                    f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}",
                ],
                parameters={"ds": ds},
            )
        lock.unlink()

    load_orders()


lock_file()
