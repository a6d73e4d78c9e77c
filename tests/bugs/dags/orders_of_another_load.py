"""Lets the day's orders refer to the newest load of all days there is when they come again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def orders_of_another_load():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "INSERT INTO load_log (dt, orders) VALUES (%(ds)s, 0)",
                "DELETE FROM loaded_orders WHERE dt = %(ds)s",
                f"""
                INSERT INTO loaded_orders SELECT number, %(ds)s,
                (SELECT id FROM load_log ORDER BY dt DESC, id DESC LIMIT 1) {DAY}
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


orders_of_another_load()
