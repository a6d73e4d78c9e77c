"""Adds the day's orders to each customer's count: a rerun counts them again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def counter_goes_up():
    @task
    def count_orders(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO customers SELECT customer, count(*) FROM placed_orders
            WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1 GROUP BY customer
            ON CONFLICT (customer) DO UPDATE SET orders = customers.orders + EXCLUDED.orders
            """,
            parameters={"ds": ds},
        )

    count_orders()


counter_goes_up()
