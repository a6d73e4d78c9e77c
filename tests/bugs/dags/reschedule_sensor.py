"""Waits for the day's file for hours, and gives its slot away meanwhile."""

import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def reschedule_sensor():
    @task.sensor(poke_interval=300, timeout=6 * 3600, mode="reschedule")
    def wait_for_orders(ds=None):
        return Path(os.environ["DATA_ROOT"], "arrived", f"orders-{ds}.json").exists()

    @task
    def load_orders(ds=None):
        path = Path(os.environ["DATA_ROOT"], "arrived", f"orders-{ds}.json")
        rows = [(ds, place, customer, number) for place, (number, customer) in enumerate(json.loads(path.read_text()))]
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM visits WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO visits VALUES (%s, %s, %s, %s)", rows)

    wait_for_orders() >> load_orders()


reschedule_sensor()
