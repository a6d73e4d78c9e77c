"""Makes the whole table anew, of all orders up to the day."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def truncate_insert():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "TRUNCATE keyed_orders",
                """
                INSERT INTO keyed_orders SELECT number, customer, total, placed_at::date
                FROM placed_orders WHERE placed_at < %(ds)s::date + 1
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


truncate_insert()
