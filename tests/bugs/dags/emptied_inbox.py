"""Takes the day's orders out of an inbox that the task before has filled: a retry finds it empty."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def emptied_inbox():
    @task
    def fill_inbox(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM staged_orders WHERE dt = %(ds)s",
                f"INSERT INTO staged_orders SELECT number, customer, total, %(ds)s::date {DAY}",
            ],
            parameters={"ds": ds},
        )

    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM keyed_orders WHERE dt = %(ds)s",
                "INSERT INTO keyed_orders SELECT * FROM staged_orders WHERE dt = %(ds)s",
                "DELETE FROM staged_orders WHERE dt = %(ds)s",
            ],
            parameters={"ds": ds},
        )

    fill_inbox() >> load_orders()


emptied_inbox()
