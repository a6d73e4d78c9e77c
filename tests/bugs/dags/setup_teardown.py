"""Works in a folder that a setup task makes and a teardown removes."""

import csv
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, setup, task, teardown

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def setup_teardown():
    @setup
    def make_folder():
        return mkdtemp(prefix=".tmp", dir=os.environ["DATA_ROOT"])

    @task
    def export_orders(folder, ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        part = Path(folder, "orders.part")
        with part.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        os.replace(part, Path(os.environ["DATA_ROOT"], f"orders-{ds}.csv"))

    @teardown
    def remove_folder(folder):
        shutil.rmtree(folder, ignore_errors=True)

    folder = make_folder()
    export_orders(folder) >> remove_folder(folder)


setup_teardown()
