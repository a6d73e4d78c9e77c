"""Replaces the day's sales, which get new ids, and hands over the numbers of the orders."""

import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def numbers_in_a_file():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
            ],
            parameters={"ds": ds},
        )
        ids = hook.get_records("SELECT number FROM sales WHERE dt = %(ds)s ORDER BY number", {"ds": ds})
        path = Path(os.environ["DATA_ROOT"], f"sales-{ds}.csv")
        path.with_suffix(".part").write_text("".join(f"{one}\n" for (one,) in ids))
        path.with_suffix(".part").replace(path)

    load_orders()


numbers_in_a_file()
