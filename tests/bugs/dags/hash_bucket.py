"""Puts customers into buckets by Python's hash, which is another in each process."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def hash_bucket():
    @task
    def load_visits(ds=None):
        hook = PostgresHook("shop")
        customers = {customer for (customer,) in hook.get_records(f"SELECT customer {DAY}", {"ds": ds})}
        rows = [(ds, place, customer, hash(customer) % 64) for place, customer in enumerate(sorted(customers))]
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM visits WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO visits VALUES (%s, %s, %s, %s)", rows)

    load_visits()


hash_bucket()
