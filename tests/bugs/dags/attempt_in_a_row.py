"""Notes the number of the attempt with each row."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def attempt_in_a_row():
    @task
    def load_orders(ds=None, ti=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM stamped_orders WHERE dt = %(ds)s",
                f"""
                INSERT INTO stamped_orders (number, customer, dt, attempt, created_at)
                SELECT number, customer, %(ds)s, %(attempt)s, %(ds)s::date {DAY}
                """,
            ],
            parameters={"ds": ds, "attempt": ti.try_number},
        )

    load_orders()


attempt_in_a_row()
