"""Makes room before it loads when two days are there, also when it loads one of them again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def retention_by_count():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        (days,) = hook.get_first("SELECT count(DISTINCT dt) FROM keyed_orders")
        if days >= 2:
            hook.run("DELETE FROM keyed_orders WHERE dt = (SELECT min(dt) FROM keyed_orders)")
        hook.run(
            f"""
            INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}
            ON CONFLICT (number) DO UPDATE SET total = EXCLUDED.total
            """,
            parameters={"ds": ds},
        )

    load_orders()


retention_by_count()
