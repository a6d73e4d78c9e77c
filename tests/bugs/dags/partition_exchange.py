"""Fills a new partition and puts it in the place of the day's old one, in one transaction."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def partition_exchange():
    @task
    def load_orders(ds=None, ds_nodash=None):
        old = f"exchanged_{ds_nodash}"
        PostgresHook("shop").run(
            [
                "LOCK exchanged_orders",
                "CREATE TABLE fresh (LIKE exchanged_orders)",
                f"INSERT INTO fresh SELECT number, customer, total, %(ds)s::date {DAY}",
                f"DROP TABLE IF EXISTS {old}",
                f"ALTER TABLE fresh RENAME TO {old}",
                f"ALTER TABLE exchanged_orders ATTACH PARTITION {old} FOR VALUES IN ('{ds}')",
            ],
            parameters={"ds": ds},
        )

    load_orders()


partition_exchange()
