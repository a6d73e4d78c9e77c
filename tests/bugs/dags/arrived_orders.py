"""Upstream: lets the day's orders arrive, in a table and as a file."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def arrived_orders():
    @task
    def deliver_orders(ds=None):
        hook = PostgresHook("shop")
        rows = hook.get_records(f"SELECT number, customer {DAY} ORDER BY number", {"ds": ds})
        target = Path(os.environ["DATA_ROOT"], "arrived", f"orders-{ds}.json")
        target.parent.mkdir(exist_ok=True)
        part = target.with_name(f".{uuid4()}.part")
        part.write_text(json.dumps(rows))
        os.replace(part, target)
        hook.run(
            [
                "DELETE FROM arrived_orders WHERE dt = %(ds)s",
                f"INSERT INTO arrived_orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    deliver_orders()


arrived_orders()
