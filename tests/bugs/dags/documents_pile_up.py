"""Keeps the day's document as a large object, and forgets the one from before, which stays."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def documents_pile_up():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM documents WHERE dt = %(ds)s",
                "INSERT INTO documents SELECT %(ds)s, lo_from_bytea(0, convert_to(string_agg(customer, ',' "
                f"ORDER BY number), 'UTF8')) {DAY}",
            ],
            parameters={"ds": ds},
        )

    load_orders()


documents_pile_up()
