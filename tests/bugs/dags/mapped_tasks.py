"""Counts the day's orders customer by customer in mapped tasks, and writes them in one."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def mapped_tasks():
    @task
    def customers(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT DISTINCT customer {DAY} ORDER BY customer LIMIT 2", {"ds": ds})
        return [customer for (customer,) in rows]

    @task
    def count_orders(customer, ds=None):
        (orders,) = PostgresHook("shop").get_first(
            f"SELECT count(*) {DAY} AND customer = %(customer)s", {"ds": ds, "customer": customer}
        )
        return [ds, customer, orders]

    @task
    def load_counts(counts, ds=None):
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM customer_days WHERE dt = %s", (ds,))
            cursor.executemany("INSERT INTO customer_days VALUES (%s, %s, %s)", list(counts))

    load_counts(count_orders.expand(customer=customers()))


mapped_tasks()
