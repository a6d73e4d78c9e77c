"""Score each day's transactions with the model, batch by batch, and load both."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from etl.settings import processing_container, warehouse_pool
from wiring.mail import done_within, mail_failure
from wiring.tasks import default_args, permanent_errors_fail

# At two in the morning it is about the day before.
DAY = "{{ logical_date.subtract(days=1).to_date_string() }}"


@dag(
    dag_id="batch_pipeline_dag",
    description="Scores the transactions of the day before and loads them with their predictions.",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
    max_active_runs=2,
    deadline=done_within(hours=3),
    default_args=default_args(pool=warehouse_pool(), on_failure_callback=mail_failure),
    tags=["warehouse", "transactions", "model"],
    doc_md="""
    ### Transactions of a day and what the model says of them

    Reads `transactions/{day}.csv` below `LAKE_URL` (a folder, or `s3://bucket/…`), checks and types it, has the model
    score it in batches over HTTP, and replaces the day's rows in `transactions`, `predictions` and
    `transactions_rejected`, all in one transaction. A day is one in UTC, and that before the run. What the model has
    said is kept in `scored_batches` until then; the key of a batch, its `Idempotency-Key`, is made of what is in it.

    Connections: `postgres_default`; `ml_api_default`, whose password is the bearer token; for `s3://` also
    `minio_default` of type `aws`, with `endpoint_url` in its extra; `smtp_default` for failures, to whom the variable
    `alert_email` says. Each is looked up in the task that needs it and goes nowhere else. The tables are in
    `etl/sql/transactions.sql`, the settings in `etl/settings.py`; `TRANSACTIONS_SOURCE=generator:1000` makes up days
    that are not in the lake. `python -m etl.model.server` is a model to begin with.

    With `TRANSACTIONS_IMAGE`, an image that `stack/etl.Dockerfile` makes, `run_batch_processing` does its work in a
    container, with the same results: it is told of connections by its environment, so that whoever may speak to the
    Docker engine can see them while it runs. A lake in a folder is mounted where it is.

    **When it fails.** An e-mail says so. Readers see the day as it was before, or all of it anew.

    | what | then |
    |---|---|
    | the day's file is late or missing | `prepare_environment` looks six more times, over about an hour, then fails |
    | the file is cut off, empty or has another header | `run_batch_processing` fails at once with one sentence |
    | a row is malformed, of another day, or there twice | it goes to `transactions_rejected`; the others go on |
    | too many rows are malformed | it fails at once, naming the first; nothing is scored |
    | the model does not answer | a batch is tried again, then the task; what has been scored is not asked for again |
    | the model refuses a batch | the others are scored and kept, then the task fails at once with its sentence |
    | the file is corrected | clear the run: the day's rows are replaced, other batches are other keys |
    | the database is away, or its disk is full | what needs it is tried again, and nothing half-done shows |
    | a container was chosen, and no Docker engine answers | it is tried again, and then the e-mail says so |
    | the run is not done in three hours | an e-mail says so, where `DEADLINE_ALERTS` is on; the run goes on |
    | the mail server is away | the task fails as it would have, and its log says that no e-mail went out |
    """,
)
def batch_pipeline_dag() -> None:
    """Define the DAG."""

    @task(retries=6)
    def prepare_environment(day: str) -> None:
        """See that the tables, the model and the day's file are there."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.settings import read_transaction_settings
        from etl.transactions.process import prepare
        from wiring.places import database, model, storage

        with permanent_errors_fail():
            settings = read_transaction_settings()
            lake = storage(settings.lake)
            with model(settings.timeout, settings.attempts) as scorer, database() as connection:
                name = prepare(day, lake, scorer, connection, settings)
        print(f"The transactions of {day} and the model {name} are there.")

    @task
    def run_batch_processing(day: str) -> None:
        """Check, score and load the day's transactions."""
        from etl.settings import read_transaction_settings
        from etl.transactions.process import process
        from wiring.places import database, model, storage

        with permanent_errors_fail():
            settings = read_transaction_settings()
            lake = storage(settings.lake)
            with model(settings.timeout, settings.attempts) as scorer, database() as connection:
                done = process(day, lake, scorer, connection, settings)
        print(done.sentence())

    container = processing_container()
    if container:
        from wiring.containers import process_in_container  # needs the Docker provider, which is not for everybody

        prepare_environment(DAY) >> process_in_container(container, "run_batch_processing", DAY)
    else:
        prepare_environment(DAY) >> run_batch_processing(DAY)


batch_pipeline_dag()
