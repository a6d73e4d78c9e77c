"""Loads the day's orders well, and then counts them on top of what was counted before."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def two_tasks_one_counts():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM orders WHERE dt = %(ds)s",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    @task
    def award_points(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO customers SELECT customer, count(*) FROM orders WHERE dt = %(ds)s GROUP BY customer
            ON CONFLICT (customer) DO UPDATE SET orders = customers.orders + EXCLUDED.orders
            """,
            parameters={"ds": ds},
        )

    @task
    def note_load(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO loads SELECT dt, count(*) FROM orders WHERE dt = %(ds)s GROUP BY dt
            ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders
            """,
            parameters={"ds": ds},
        )

    load_orders() >> award_points() >> note_load()


two_tasks_one_counts()
