"""Writes the day's orders to a file beside the last one, and puts it in its place."""

import csv
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def file_rename():
    @task
    def export_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        target = Path(os.environ["DATA_ROOT"], f"orders-{ds}.csv")
        with NamedTemporaryFile("w", newline="", dir=target.parent, prefix=".", suffix=".part", delete=False) as part:
            csv.writer(part).writerows(rows)
        os.replace(part.name, target)

    export_orders()


file_rename()
