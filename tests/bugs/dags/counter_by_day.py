"""Counts each customer's orders of the day, in rows of the day's own."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def counter_by_day():
    @task
    def count_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM customer_days WHERE dt = %(ds)s",
                f"INSERT INTO customer_days SELECT %(ds)s::date, customer, count(*) {DAY} GROUP BY customer",
            ],
            parameters={"ds": ds},
        )

    count_orders()


counter_by_day()
