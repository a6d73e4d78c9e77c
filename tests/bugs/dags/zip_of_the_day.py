"""Packs the day's orders into a zip, which notes when it was written."""

import os
import zipfile
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def zip_of_the_day():
    @task
    def load_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        target = Path(os.environ["DATA_ROOT"], f"orders-{ds}.zip")
        part = target.with_name(f".{ds}.{os.getpid()}.part")
        with zipfile.ZipFile(part, "w") as archive:
            for number, customer in rows:
                archive.writestr(f"{number}.txt", customer)
        part.replace(target)

    load_orders()


zip_of_the_day()
