"""Notes the run that loaded the day, which is called otherwise in a backfill."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def run_id_by_xcom():
    @task
    def name_of_the_run(run_id=None):
        return run_id

    @task
    def note_load(name, ds=None):
        PostgresHook("shop").run(
            f"""
            INSERT INTO loads SELECT %(ds)s::date, count(*), %(by)s {DAY}
            ON CONFLICT (dt) DO UPDATE SET orders = EXCLUDED.orders, loaded_by = EXCLUDED.loaded_by
            """,
            parameters={"ds": ds, "by": name},
        )

    note_load(name_of_the_run())


run_id_by_xcom()
