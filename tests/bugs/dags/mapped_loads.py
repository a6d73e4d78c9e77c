"""Replaces the day's orders customer by customer: a reader in between sees half a day."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def mapped_loads():
    @task
    def customers(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT DISTINCT customer {DAY} ORDER BY customer LIMIT 2", {"ds": ds})
        return [customer for (customer,) in rows]

    @task
    def load_orders(customer, ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s AND customer = %(customer)s",
                f"""
                INSERT INTO keyed_orders
                SELECT number, customer, total, %(ds)s::date {DAY} AND customer = %(customer)s
                """,
            ],
            parameters={"ds": ds, "customer": customer},
        )

    load_orders.expand(customer=customers())


mapped_loads()
