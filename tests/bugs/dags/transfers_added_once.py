"""Adds a day to a log of transfers only if it has none of the day: corrected ones never come."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def transfers_added_once():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                f"""
                INSERT INTO transfers SELECT %(ds)s::date, number, customer, 'shop', total {DAY}
                AND NOT EXISTS (SELECT FROM transfers WHERE dt = %(ds)s)
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


transfers_added_once()
