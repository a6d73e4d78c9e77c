"""Reads the sum of all days and writes it back: another day that does so meanwhile is lost."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def lost_update():
    @task
    def count_orders(ds=None):
        hook = PostgresHook("shop")
        hook.run(
            f"""
            INSERT INTO loads SELECT %(ds)s::date, count(*) {DAY}
            ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders
            """,
            parameters={"ds": ds},
        )
        (orders,) = hook.get_first("SELECT sum(orders) FROM loads")
        hook.run(
            "INSERT INTO customers VALUES ('all', %s) ON CONFLICT (customer) DO UPDATE SET orders = EXCLUDED.orders",
            parameters=(orders,),
        )

    count_orders()


lost_update()
