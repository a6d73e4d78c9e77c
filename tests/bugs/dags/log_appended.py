"""Notes each load in a log, also when it is repeated."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders p WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def log_appended():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM orders WHERE dt = %(ds)s",
                f"INSERT INTO orders SELECT number, customer, total, %(ds)s {DAY}",
                "INSERT INTO load_log (dt, orders) SELECT dt, count(*) FROM orders WHERE dt = %(ds)s GROUP BY dt",
            ],
            parameters={"ds": ds},
        )

    load_orders()


log_appended()
