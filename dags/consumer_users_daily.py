"""Load each day's users into PostgreSQL, once their producer is done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import dag, task

from wiring.places import database
from wiring.tasks import default_args, permanent_errors_fail

if TYPE_CHECKING:
    pass


@dag(
    dag_id="consumer_users_daily",
    description="Loads each day's users into users_daily.",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
    max_active_runs=4,
    default_args=default_args(),
    tags=["warehouse", "users", "consumer"],
    doc_md="""
    ### Users of a day in PostgreSQL

    Waits for `producer_users_daily` of the same day and for its file, checks and types the file into
    `DATA_ROOT/staging/users/{ds}/users.parquet`, and replaces the day's rows in `users_daily` and
    `users_rejected` in one transaction. Rerunning a day gives the same rows.

    Connections: `postgres_default`, and `fs_default` whose extra is `{"path": DATA_ROOT}`. The tables are in
    `etl/sql/schema.sql`; the settings in `etl/settings.py`.

    **When it fails.** The tables keep what they had before, always.

    | what | then |
    |---|---|
    | the producer is late | `wait_for_producer` looks every 5 minutes for up to 6 hours, without holding a slot |
    | the producer failed | `wait_for_producer` fails at its next look; clear it once the producer has succeeded |
    | the file is not there | `wait_for_file` looks less and less often for an hour, then fails |
    | a row is malformed | it goes to `users_rejected` with its line and the reason; the load goes on |
    | the file is bad as a whole | `transform_users` fails at once with one sentence |
    | an id is there twice | `load_users` fails at once with one sentence |
    | the database is away | `load_users` is tried again, further and further apart |
    """,
)
def consumer_users_daily() -> None:
    """Define the DAG."""
    wait_for_producer = ExternalTaskSensor(
        task_id="wait_for_producer",
        external_dag_id="producer_users_daily",
        external_task_id="write_users",
        allowed_states=["success"],
        failed_states=["failed", "upstream_failed", "skipped", "removed"],
        mode="reschedule",
        poke_interval=timedelta(minutes=5),
        timeout=timedelta(hours=6),
        # Asking again would find the same failed producer.
        retries=0,
    )

    wait_for_file = FileSensor(
        task_id="wait_for_file",
        fs_conn_id="fs_default",
        filepath="raw/users/{{ ds }}/users.csv",
        mode="reschedule",
        poke_interval=timedelta(minutes=1),
        exponential_backoff=True,
        max_wait=timedelta(minutes=15),
        timeout=timedelta(hours=1),
    )

    @task
    def transform_users(ds: str) -> None:
        """Check and type the day's raw file and stage it."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.settings import read_settings
        from etl.users import transform_users

        with permanent_errors_fail():
            staged = transform_users(ds, read_settings())
        print(f"Staged {staged.users:,} users, rejected {staged.rejected:,} rows.")

    @task
    def load_users(ds: str) -> None:
        """Replace the day's rows in the database."""
        from etl.settings import read_settings
        from etl.users import load_users

        with permanent_errors_fail(), database() as connection:
            loaded = load_users(ds, read_settings(), connection)
        print(f"Loaded {loaded.users:,} users and {loaded.rejected:,} rejected rows.")

    wait_for_producer >> wait_for_file >> transform_users(ds="{{ ds }}") >> load_users(ds="{{ ds }}")


consumer_users_daily()
