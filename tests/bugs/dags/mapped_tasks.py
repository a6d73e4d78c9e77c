"""Replaces the day's orders customer by customer, in mapped tasks."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def mapped_tasks():
    @task
    def customers(ds=None):
        return [
            customer for (customer,) in PostgresHook("shop").get_records(f"SELECT DISTINCT customer {DAY}", {"ds": ds})
        ]

    @task
    def load_orders(customer, ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM orders WHERE dt = %(ds)s AND customer = %(customer)s",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY} AND customer = %(customer)s",
            ],
            parameters={"ds": ds, "customer": customer},
        )

    load_orders.expand(customer=customers())


mapped_tasks()
