"""Has a column for deleted orders, and never fills it."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders p WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def soft_delete_forgotten():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                f"""
                INSERT INTO soft_orders SELECT number, customer, total, %(ds)s {DAY}
                ON CONFLICT (number) DO UPDATE
                SET customer = EXCLUDED.customer, total = EXCLUDED.total, deleted_on = NULL
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


soft_delete_forgotten()
