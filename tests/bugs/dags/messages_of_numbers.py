"""Replaces the day's sales, which get new ids, and messages that name the orders."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def messages_of_numbers():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                "DELETE FROM sale_messages WHERE dt = %(ds)s",
                """
                INSERT INTO sale_messages
                SELECT number, jsonb_build_object('order', number), dt
                FROM sales
                WHERE dt = %(ds)s
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


messages_of_numbers()
