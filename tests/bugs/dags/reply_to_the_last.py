"""Lets each message reply to the one with the id before, though no order decides which that is."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def reply_to_the_last():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM threads WHERE dt = %(ds)s",
                f"INSERT INTO threads (number, dt) SELECT number, %(ds)s {DAY}",
                """
                UPDATE threads t SET reply_to = (SELECT max(id) FROM threads b WHERE b.id < t.id AND dt = %(ds)s)
                WHERE dt = %(ds)s
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


reply_to_the_last()
