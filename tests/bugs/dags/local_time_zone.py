"""Dates each order by the clock of the machine."""

from datetime import datetime

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def local_time_zone():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        rows = []
        for number, customer, total, placed in hook.get_records(
            f"SELECT number, customer, total, extract(epoch FROM placed_at)::float {DAY}", {"ds": ds}
        ):
            day = datetime.fromtimestamp(placed).date()
            rows.append((number, customer, total, day))
        hook.run("DELETE FROM keyed_orders WHERE number = ANY(%s)", parameters=([number for number, *_ in rows],))
        hook.insert_rows("keyed_orders", rows)

    load_orders()


local_time_zone()
