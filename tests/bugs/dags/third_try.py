"""Deletes nothing from the third try on."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def third_try():
    @task
    def load_orders(ds=None, ti=None):
        replaced = ds if ti.try_number < 3 else None
        PostgresHook("shop").run(
            [
                "DELETE FROM orders WHERE dt = %(replaced)s::date",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds, "replaced": replaced},
        )

    load_orders()


third_try()
