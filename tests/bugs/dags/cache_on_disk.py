"""Asks for the day's orders once, and keeps the answer in a file."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def cache_on_disk():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        cache = Path(os.environ["DATA_ROOT"], f".cache-{ds}.json")
        if not cache.exists():
            rows = hook.get_records(
                f"SELECT number, customer, total::float, %(ds)s::text {DAY} ORDER BY number", {"ds": ds}
            )
            part = cache.with_name(f".{uuid4()}.part")
            part.write_text(json.dumps(rows))
            os.replace(part, cache)
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO keyed_orders VALUES (%s, %s, %s, %s)", json.loads(cache.read_text()))

    load_orders()


cache_on_disk()
