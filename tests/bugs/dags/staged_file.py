"""Reads what the task before has left, and leaves it there."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


def _replace(path, text):
    part = path.with_name(f".{path.name}.{uuid4()}.part")
    part.write_text(text)
    os.replace(part, path)


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def staged_file():
    @task
    def extract_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        _replace(Path(f"staged-{ds}.json"), json.dumps(rows))

    @task
    def export_orders(ds=None):
        _replace(Path(f"orders-{ds}.json"), Path(f"staged-{ds}.json").read_text())

    extract_orders() >> export_orders()


staged_file()
