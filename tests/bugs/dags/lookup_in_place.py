"""Keeps each customer's latest order in a table, and writes all days anew from it."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def lookup_in_place():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "LOCK latest_orders",
                f"""
                INSERT INTO latest_orders SELECT customer, max(number) {DAY} GROUP BY customer
                ON CONFLICT (customer) DO UPDATE SET number = greatest(latest_orders.number, EXCLUDED.number)
                """,
                f"""
                INSERT INTO customer_days SELECT DISTINCT %(ds)s::date, customer, 0 {DAY}
                ON CONFLICT DO NOTHING
                """,
                "UPDATE customer_days AS d SET orders = number FROM latest_orders AS l WHERE l.customer = d.customer",
            ],
            parameters={"ds": ds},
        )

    load_orders()


lookup_in_place()
