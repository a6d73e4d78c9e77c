"""Makes room before it loads when two days are there, also when it loads one of them again."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def retention_by_count():
    @task
    def load_orders(ds=None):
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT min(dt) FROM keyed_orders HAVING count(DISTINCT dt) >= 2")
            for (oldest,) in cursor.fetchall():
                cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (oldest,))
            cursor.execute("DELETE FROM keyed_orders WHERE dt = %s", (ds,))
            cursor.execute(f"INSERT INTO keyed_orders SELECT number, customer, total, %(ds)s::date {DAY}", {"ds": ds})

    load_orders()


retention_by_count()
