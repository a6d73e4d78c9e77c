"""Upstream of the drawn DAGs that wait: lets the day's orders arrive."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False)
def arriving():
    @task
    def deliver(ds=None):
        PostgresHook("shop").run(
            [
                "DELETE FROM arrived WHERE dt = %(ds)s",
                "INSERT INTO arrived SELECT number, customer, total, %(ds)s::date FROM placed "
                "WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1",
            ],
            parameters={"ds": ds},
        )

    deliver()


arriving()
