"""Replaces the day's orders; a callback of the task notes the day, once."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


def note_load(context):
    """Note that the day is loaded."""
    PostgresHook("shop").run(
        "INSERT INTO loads VALUES (%(ds)s, 0, 'a callback') ON CONFLICT (dt) DO NOTHING",
        parameters={"ds": context["ds"]},
    )


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def noted_once_by_callbacks():
    @task(on_success_callback=note_load)
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(hashtext(%(ds)s))",
                "DELETE FROM orders WHERE dt = %(ds)s",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


noted_once_by_callbacks()
