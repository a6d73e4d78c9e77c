"""Replaces the sales together with their lines, in one statement."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def parents_replaced():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                """
                WITH parents AS (
                    INSERT INTO sales (number, customer, dt)
                    SELECT number, customer, %(ds)s FROM placed_orders
                    WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1
                    RETURNING id, number
                )
                INSERT INTO sale_lines (sale_id, part) SELECT id, 'part of ' || number FROM parents
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


parents_replaced()
