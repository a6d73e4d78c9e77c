"""Lets each message reply to that of the order before; all of them get new ids in each load."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def reply_by_number():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM threads WHERE dt = %(ds)s",
                f"INSERT INTO threads (number, dt) SELECT number, %(ds)s {DAY}",
                """
                UPDATE threads t SET reply_to = b.id
                FROM threads b
                WHERE b.number = t.number - 1 AND t.dt = %(ds)s AND b.dt = t.dt
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


reply_by_number()
