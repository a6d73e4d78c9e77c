"""Loads the day unless it is there, which another run may think at the same time."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def check_then_insert():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        (there,) = hook.get_first("SELECT count(*) FROM orders WHERE dt = %s", (ds,))
        if not there:
            hook.run(f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", parameters={"ds": ds})

    load_orders()


check_then_insert()
