"""Notes the end of the interval with each row."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def created_at_by_schedule():
    @task
    def load_orders(ds=None, data_interval_end=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM stamped_orders WHERE dt = %(ds)s",
                f"""
                INSERT INTO stamped_orders (number, customer, dt, created_at)
                SELECT number, customer, %(ds)s, %(end)s::timestamptz {DAY}
                """,
            ],
            parameters={"ds": ds, "end": data_interval_end},
        )

    load_orders()


created_at_by_schedule()
