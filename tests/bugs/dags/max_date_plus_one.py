"""Loads into the partition after the last one: a rerun gets another one."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def max_date_plus_one():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        (day,) = hook.get_first("SELECT coalesce(max(dt) + 1, %s::date) FROM orders", (ds,))
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
                "DELETE FROM orders WHERE dt = %(day)s",
                f"INSERT INTO orders SELECT number, customer, total, %(day)s {DAY}",
            ],
            parameters={"ds": ds, "day": day},
        )

    load_orders()


max_date_plus_one()
