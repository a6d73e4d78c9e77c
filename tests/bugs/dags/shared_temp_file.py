"""Puts each day's orders into a file of the same name on their way."""

import csv
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def shared_temp_file():
    @task
    def export_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        part = Path(os.environ["DATA_ROOT"], "orders.part")
        with part.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        os.replace(part, part.with_name(f"orders-{ds}.csv"))

    export_orders()


shared_temp_file()
