"""Adds the day's totals up as floats, in the order of a set: the last digits differ."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def float_sum():
    @task
    def sum_orders(ds=None):
        hook = PostgresHook("shop")
        orders = hook.get_records(f"SELECT customer, total {DAY}", {"ds": ds})
        totals = {(customer, float(total)) for customer, total in orders}
        hook.run(
            "INSERT INTO daily_totals VALUES (%s, %s) ON CONFLICT (dt) DO UPDATE SET total = EXCLUDED.total",
            parameters=(ds, sum(total * 1.077 for _, total in totals)),
        )

    sum_orders()


float_sum()
