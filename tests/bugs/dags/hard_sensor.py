"""Waits for the day's orders; where that fails, so does the run."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def hard_sensor():
    @task.sensor(poke_interval=300, timeout=6 * 3600, mode="reschedule")
    def wait_for_orders(ds=None):
        return Path(os.environ["DATA_ROOT"], "arrived", f"orders-{ds}.json").exists()

    @task
    def stage_orders(ds=None):
        source = Path(os.environ["DATA_ROOT"], "arrived", f"orders-{ds}.json")
        part = source.with_name(f".{uuid4()}.part")
        part.write_bytes(source.read_bytes())
        os.replace(part, source.with_name(f"staged-{ds}.json"))

    @task
    def load_orders(ds=None):
        path = Path(os.environ["DATA_ROOT"], "arrived", f"staged-{ds}.json")
        rows = json.loads(path.read_text()) if path.exists() else []
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM visits WHERE dt = %s", (ds,))
            for place, (number, customer) in enumerate(rows):
                cursor.execute("INSERT INTO visits VALUES (%s, %s, %s, %s)", (ds, place, customer, number))

    wait_for_orders() >> stage_orders() >> load_orders()


hard_sensor()
