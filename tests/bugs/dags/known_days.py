"""Reads which days are known, from a table that the first run makes, and writes all of them anew."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def known_days():
    @task
    def note_day(ds=None):
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('known_days')")
            if cursor.fetchone()[0] is None:
                cursor.execute("CREATE TABLE known_days AS SELECT %s::text AS dt", [ds])
                return
            cursor.execute("SELECT dt FROM known_days")
            days = {ds, *(day for (day,) in cursor.fetchall())}
            cursor.execute("DELETE FROM known_days")
            cursor.executemany("INSERT INTO known_days VALUES (%s)", [(day,) for day in sorted(days)])

    note_day()


known_days()
