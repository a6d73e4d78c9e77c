"""Removes the old rows at the first try only, and adds what it has at each one."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def retry_in_the_middle():
    @task(retries=2)
    def load_orders(ds=None, ti=None):
        hook = PostgresHook("shop")
        if ti.try_number == 1:
            hook.run("DELETE FROM orders WHERE dt = %(ds)s", parameters={"ds": ds})
        for customer in range(8):
            hook.run(
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY} AND customer = %(customer)s",
                parameters={"ds": ds, "customer": f"customer-{customer}"},
            )

    load_orders()


retry_in_the_middle()
