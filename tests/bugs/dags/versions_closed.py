"""Keeps each version of an order, and closes it when another one comes."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders p WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def versions_closed():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                f"""
                UPDATE order_versions v SET valid_to = %(ds)s
                WHERE dt = %(ds)s AND valid_to IS NULL
                AND NOT EXISTS (
                    SELECT {DAY} AND (p.number, p.customer, p.total) = (v.number, v.customer, v.total)
                )
                """,
                f"""
                INSERT INTO order_versions
                SELECT number, customer, total, %(ds)s, %(ds)s, NULL {DAY}
                AND NOT EXISTS (
                    SELECT FROM order_versions v
                    WHERE v.number = p.number AND valid_to IS NULL
                )
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


versions_closed()
