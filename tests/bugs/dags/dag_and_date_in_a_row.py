"""Notes which DAG loaded the day, and for which date."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def dag_and_date_in_a_row():
    @task
    def note_load(ds=None, dag=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO loads SELECT %(ds)s::date, count(*), %(by)s {DAY}
            ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders, loaded_by = EXCLUDED.loaded_by
            """,
            parameters={"ds": ds, "by": f"{dag.dag_id} for {ds}"},
        )

    note_load()


dag_and_date_in_a_row()
