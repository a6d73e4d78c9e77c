"""Score the shop's raw data each night, and say so by e-mail when it is too bad."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import dag, task

from etl.settings import warehouse_pool
from wiring.mail import done_within, mail_failure
from wiring.places import database
from wiring.tasks import default_args, permanent_errors_fail

# At two in the morning it is about the day before, in the shop's time zone; Airflow's `ds` would be in UTC.
DAY = "{{ logical_date.in_timezone('Asia/Kolkata').subtract(days=1).to_date_string() }}"


@dag(
    dag_id="daily_quality_check",
    description="Scores the shop's raw data as of the day before.",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=True,
    max_active_runs=2,
    deadline=done_within(hours=3),
    default_args=default_args(pool=warehouse_pool(), on_failure_callback=mail_failure),
    tags=["warehouse", "shop", "quality"],
    doc_md="""
    ### Quality of the shop's raw data

    Looks at all that had landed in `raw_customers`, `raw_products` and `raw_orders` by the end of the day before, so
    a day's result does not depend on when it is computed. The checks are in `etl/quality/checks.py`. Each scores the
    share of rows that hold; their weighted mean is the day's score, with a grade from A+ to F. Both are replaced in
    one transaction, in `quality_results` (with the keys of the first offenders) and `quality_scores`.

    Connections: `postgres_default`, and `smtp_default` whose extra has `from_email`. The Airflow variable
    `alert_email` says who is told. The tables are in `etl/sql/shop.sql`, the setting `QUALITY_MIN_SCORE` in
    `etl/settings.py`.

    **When it fails.** `smtp_default` gets an e-mail with the sentence; the results of other days stay as they are.

    | what | then |
    |---|---|
    | the score is too low | its results are stored, `calculate_quality_score` fails and names the worst |
    | a row is malformed, an orphan or there twice | it counts against the score, and a sample of the keys is kept |
    | a raw table or a column is missing, or of another type | `validate_data_schema` fails at once and names it |
    | nothing at all has landed in a table yet | the checks are tried again, further and further apart |
    | a day was late or corrected | clear its run and those of later days, which look at it, too |
    | the database is away | what needs it is tried again; results appear whole or not at all |
    | the run is not done in three hours | an e-mail says so, where `DEADLINE_ALERTS` is on; the run goes on |
    | the mail server is away | the task fails as it would have, and its log says that no e-mail went out |
    """,
)
def daily_quality_check() -> None:
    """Define the DAG."""

    @task
    def validate_data_schema() -> None:
        """See that the raw tables have the columns that the checks need."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.quality.run import validate_schema

        with permanent_errors_fail(), database() as connection:
            validate_schema(connection)

    @task
    def check(dimension: str, day: str) -> list[dict[str, Any]]:
        """Run the checks of a dimension; return how many rows each looked at, how many failed, and some keys."""
        from etl.quality.run import run_checks

        with permanent_errors_fail(), database() as connection:
            return [result._asdict() for result in run_checks(dimension, day, connection)]

    @task
    def calculate_quality_score(found: list[list[dict[str, Any]]], day: str) -> None:
        """Store the day's results and score; fail when the score is too low."""
        from etl.quality.run import Result
        from etl.quality.score import store_score
        from etl.settings import quality_min_score

        results = [Result(**result) for part in found for result in part]
        with permanent_errors_fail(), database() as connection:
            score = store_score(day, results, quality_min_score(), connection)
        print(f"The data up to {day} scores {score}.")

    checks = [
        check.override(task_id="check_data_completeness")("completeness", DAY),
        check.override(task_id="check_data_validity")("validity", DAY),
        check.override(task_id="check_data_consistency")("consistency", DAY),
    ]
    validate_data_schema() >> checks
    calculate_quality_score(checks, DAY)  # type: ignore[arg-type]  # Airflow fills in the results


daily_quality_check()
