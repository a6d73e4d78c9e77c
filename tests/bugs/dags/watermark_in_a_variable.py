"""Notes in a variable which order was the last, and loads only what came after it."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Variable, dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def watermark_in_a_variable():
    @task
    def load_orders(ds=None):
        hook, last = PostgresHook("shop"), int(Variable.get("last_order"))
        wanted = f"SELECT number, customer, total, %(ds)s::date {DAY} AND number > %(last)s"
        orders = hook.get_records(wanted, {"ds": ds, "last": last})
        Variable.set("last_order", str(max([last, *(number for number, *_ in orders)])))
        hook.insert_rows("keyed_orders", orders)

    load_orders()


watermark_in_a_variable()
