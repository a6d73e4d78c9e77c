"""Counts each customer's orders anew, up to the day."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def counter_recomputed():
    @task
    def count_orders(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO customers SELECT customer, count(*) FROM placed_orders
            WHERE placed_at < %(ds)s::date + 1 GROUP BY customer
            ON CONFLICT (customer) DO UPDATE SET orders = EXCLUDED.orders
            """,
            parameters={"ds": ds},
        )

    count_orders()


counter_recomputed()
