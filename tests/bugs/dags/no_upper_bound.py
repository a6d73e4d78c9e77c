"""Loads all orders since the day, as those of the day."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def no_upper_bound():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date
            FROM placed_orders WHERE placed_at >= %(ds)s::date
            ON CONFLICT (number) DO UPDATE SET total = EXCLUDED.total, dt = EXCLUDED.dt
            """,
            parameters={"ds": ds},
        )

    load_orders()


no_upper_bound()
