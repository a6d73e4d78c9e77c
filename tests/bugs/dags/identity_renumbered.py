"""Replaces the day's orders, which get new identities each time, and nobody minds."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def identity_renumbered():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM numbered_orders WHERE dt = %(ds)s",
                f"INSERT INTO numbered_orders (number, customer, dt) SELECT number, customer, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


identity_renumbered()
