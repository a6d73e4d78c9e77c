"""Marks the file of the day as loaded before it is: after a kill in between, it is never loaded."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def marker_first():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        (known,) = hook.get_first("SELECT count(*) FROM loads WHERE dt = %s", (ds,))
        if known:
            return
        hook.run("INSERT INTO loads VALUES (%s, 20)", parameters=(ds,))
        hook.run(f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}", parameters={"ds": ds})

    load_orders()


marker_first()
