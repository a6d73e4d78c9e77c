"""Continues with what a killed run had fetched, however old it is."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def resume_from_checkpoint():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        checkpoint = Path(os.environ["DATA_ROOT"], f".checkpoint-{ds}.json")
        if not checkpoint.exists():
            rows = hook.get_records(f"SELECT number, customer, total::float, %(ds)s::text {DAY}", {"ds": ds})
            part = checkpoint.with_name(f".{uuid4()}.part")
            part.write_text(json.dumps(rows))
            os.replace(part, checkpoint)
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO keyed_orders VALUES (%s, %s, %s, %s)", json.loads(checkpoint.read_text()))
        checkpoint.unlink(missing_ok=True)

    load_orders()


resume_from_checkpoint()
