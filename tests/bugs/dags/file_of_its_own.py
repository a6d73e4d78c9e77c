"""Gives each file a name of its own: a rerun adds another file."""

import csv
import os
import uuid
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def file_of_its_own():
    @task
    def export_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        with Path(os.environ["DATA_ROOT"], f"orders-{uuid.uuid4()}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)

    export_orders()


file_of_its_own()
