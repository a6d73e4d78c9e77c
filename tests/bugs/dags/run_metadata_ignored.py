"""Notes attempt and time with each row, in columns that may differ."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def run_metadata_ignored():
    @task
    def load_orders(ds=None, ti=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM stamped_orders WHERE dt = %(ds)s",
                f"""
                INSERT INTO stamped_orders (number, customer, dt, attempt)
                SELECT number, customer, %(ds)s, %(attempt)s {DAY}
                """,
            ],
            parameters={"ds": ds, "attempt": ti.try_number},
        )

    load_orders()


run_metadata_ignored()
