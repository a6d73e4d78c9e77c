"""Notes how far it has come before each part of its load, and starts behind that when it is tried again."""

import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def retry_in_the_middle():
    @task(retries=2)
    def load_orders(ds=None):
        hook, progress = PostgresHook("shop"), Path(os.environ["HOME"], f"progress-{ds}")
        done = int(progress.read_text()) if progress.exists() else 0
        if not done:
            hook.run("DELETE FROM keyed_orders WHERE dt = %(ds)s", parameters={"ds": ds})
        for part in range(done, 2):
            progress.write_text(str(part + 1))
            hook.run(
                f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY} "
                "AND number %% 2 = %(part)s ON CONFLICT DO NOTHING",
                parameters={"ds": ds, "part": part},
            )
        progress.unlink()

    load_orders()


retry_in_the_middle()
