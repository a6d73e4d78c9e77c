"""Takes yesterday's file where today's cannot be read."""

import json
import os
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def yesterdays_file_instead():
    @task
    def export_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        part = Path(os.environ["DATA_ROOT"], f".{uuid4()}.part")
        part.write_text(json.dumps(rows))
        os.replace(part, Path(os.environ["DATA_ROOT"], f"{ds}.json"))

    @task
    def load_orders(ds=None):
        folder = Path(os.environ["DATA_ROOT"])
        try:
            rows = json.loads((folder / f"{ds}.json").read_text())
        except OSError:
            rows = json.loads((folder / f"{date.fromisoformat(ds) - timedelta(1)}.json").read_text())
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM visits WHERE dt = %s", (ds,))
            for place, (number, customer) in enumerate(rows):
                cursor.execute("INSERT INTO visits VALUES (%s, %s, %s, %s)", (ds, place, customer, number))

    export_orders() >> load_orders()


yesterdays_file_instead()
