"""Numbers the day's files in the order in which the folder lists them."""

import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def files_as_listed():
    @task
    def export_orders(ds=None):
        folder = Path(os.environ["DATA_ROOT"], ds)
        folder.mkdir(exist_ok=True)
        for (customer,) in PostgresHook("shop").get_records(f"SELECT DISTINCT customer {DAY} ORDER BY 1", {"ds": ds}):
            part = folder / f".{customer}.part"
            part.write_text(customer)
            part.replace(folder / f"{customer}.txt")

    @task
    def load_orders(ds=None):
        paths = Path(os.environ["DATA_ROOT"], ds).glob("*.txt")
        rows = [(ds, place, path.read_text(), 0) for place, path in enumerate(paths)]
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1)")
            cursor.execute("DELETE FROM visits WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO visits VALUES (%s, %s, %s, %s)", rows)

    export_orders() >> load_orders()


files_as_listed()
