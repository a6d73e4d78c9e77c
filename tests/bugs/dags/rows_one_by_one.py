"""Updates or inserts each order in a transaction of its own."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def rows_one_by_one():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        hook.insert_rows(
            "keyed_orders",
            hook.get_records(f"SELECT number, customer, total, %(ds)s::date {DAY} ORDER BY number LIMIT 3", {"ds": ds}),
            target_fields=["number", "customer", "total", "dt"],
            commit_every=1,
            replace=True,
            replace_index="number",
        )

    load_orders()


rows_one_by_one()
