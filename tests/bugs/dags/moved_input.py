"""Moves its input away when it has read it: a retry does not find it."""

import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def moved_input():
    @task
    def extract_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        Path(f".inbox-{ds}.part").write_text(json.dumps(rows))

    @task
    def export_orders(ds=None):
        os.replace(f".inbox-{ds}.part", f"orders-{ds}.json")

    extract_orders() >> export_orders()


moved_input()
