"""Notes the folder that the day was worked on in."""

from tempfile import mkdtemp

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def temp_folder():
    @task
    def note_load(ds=None):
        PostgresHook("shop").run(
            """
            INSERT INTO loads SELECT %(ds)s::date, count(*), %(by)s FROM placed_orders
            WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1
            ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders, loaded_by = EXCLUDED.loaded_by
            """,
            parameters={"ds": ds, "by": mkdtemp()},
        )

    note_load()


temp_folder()
