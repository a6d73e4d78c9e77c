"""The first run makes the table; later ones delete and insert, all of them under one lock."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def made_by_first_run_locked():
    @task
    def load_orders(ds=None):
        of_day = {"ds": ds}
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('made_orders'))")
            cursor.execute("SELECT to_regclass('made_orders')")
            if cursor.fetchone()[0] is None:
                cursor.execute(f"CREATE TABLE made_orders AS SELECT number, %(ds)s::date AS dt {DAY}", of_day)
                return
            cursor.execute("DELETE FROM made_orders WHERE dt = %(ds)s", of_day)
            cursor.execute(f"INSERT INTO made_orders SELECT number, %(ds)s::date {DAY}", of_day)

    load_orders()


made_by_first_run_locked()
