"""Write the raw users file of each day."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from wiring.tasks import default_args, permanent_errors_fail


@dag(
    dag_id="producer_users_daily",
    description="Writes the raw users file of each day.",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
    max_active_runs=4,
    default_args=default_args(),
    tags=["warehouse", "users", "producer"],
    doc_md="""
    ### Raw users of a day

    Writes `DATA_ROOT/raw/users/{ds}/users.csv` from the place that `USERS_SOURCE` names: a generator, a
    folder or an HTTP(S) address. `etl/settings.py` lists all settings; they are environment variables,
    read when the task runs. The file appears whole or not at all, so rerunning a day at any time is safe.

    **When it fails.** A source that does not answer, or does not have the day yet, is asked again in later
    attempts, further and further apart. A setting that means nothing fails at once, with one sentence that
    names it. `consumer_users_daily` fails for that day as soon as this run has failed for good: clear both.
    """,
)
def producer_users_daily() -> None:
    """Define the DAG."""

    @task
    def write_users(ds: str) -> None:
        """Write the raw file of the day."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.settings import read_settings
        from etl.source import write_users

        with permanent_errors_fail():
            path = write_users(ds, read_settings())
        print(f"Wrote {path}.")

    write_users(ds="{{ ds }}")


producer_users_daily()
