"""Appends the day's orders to a file: a rerun appends them again."""

import csv
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def file_append():
    @task
    def export_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        with Path(os.environ["DATA_ROOT"], "orders.csv").open("a", newline="") as file:
            csv.writer(file).writerows(rows)

    export_orders()


file_append()
