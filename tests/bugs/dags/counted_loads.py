"""Counts how often the day was loaded, and replaces its orders each time."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def counted_loads():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run("INSERT INTO load_attempts (dt) VALUES (%s)", parameters=(ds,))
        (attempts,) = hook.get_first("SELECT count(*) FROM load_attempts WHERE dt = %s", (ds,))
        hook.run("DELETE FROM orders WHERE dt = %s", parameters=(ds,))
        hook.run(f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}", parameters={"ds": ds})
        print(f"{ds} has been loaded {attempts} times.")

    load_orders()


counted_loads()
