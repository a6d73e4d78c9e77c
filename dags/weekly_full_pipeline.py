"""Take in the shop's week: validate, land and load its files, move them to the base tables, check, and report."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from etl.settings import warehouse_pool
from wiring.mail import done_within, mail_failure, send_mail
from wiring.places import database, storage
from wiring.tasks import default_args, permanent_errors_fail

# Sunday in the shop's time zone, after which the report is named; and the day before, with which the week ends.
SUNDAY = "{{ logical_date.in_timezone('Asia/Kolkata').to_date_string() }}"
SATURDAY = "{{ logical_date.in_timezone('Asia/Kolkata').subtract(days=1).to_date_string() }}"


@dag(
    dag_id="weekly_full_pipeline",
    description="Takes in the shop's week and reports on it.",
    schedule="0 4 * * 0",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=True,
    max_active_runs=1,
    deadline=done_within(hours=6),
    default_args=default_args(pool=warehouse_pool(), on_failure_callback=mail_failure),
    tags=["warehouse", "shop", "weekly"],
    doc_md="""
    ### The shop's week

    The week ends on the Saturday before the run. Its files `customers.csv`, `products.csv` and `orders.csv` come from
    the place that `SHOP_SOURCE` names, or from `inbox/shop/{saturday}/` where somebody has put a better one.
    They are landed unchanged in `raw/shop/{saturday}/` and replace that day's rows in `raw_customers`,
    `raw_products` and `raw_orders`. The base tables are then made what all raw rows together say: of several rows with
    a key the latest counts, and what breaks a rule goes to `shop_rejected` with the reason. The report is
    `reports/weekly/{sunday}.html` with its JSON, and needs no network; reports of other weeks are written
    anew where late or corrected rows changed them. All this is below `SHOP_STORAGE`, a folder (`DATA_ROOT` unless told)
    or `s3://bucket/…`. Rerunning a week leaves the same rows and the same bytes.

    Connections: `postgres_default`, and `smtp_default` whose extra has `from_email`; for `s3://` `minio_default` of
    type `aws`, with `endpoint_url` in its extra. The Airflow variable
    `alert_email` says who is told of the report, and of failures; without it, nobody is told of the report. The tables
    are in `etl/sql/shop.sql`, the settings in `etl/weekly/settings.py`.

    **When it fails.** An e-mail says which stage, and why. The warehouse is as the last completed stage left it; clear
    the failed stage to go on from there. Whatever was missed, the next run of any week makes the base tables whole.

    | what | then |
    |---|---|
    | a file is late, or its server away | `data_validation` is tried again, further and further apart |
    | a file is cut, empty, not UTF-8, or has another header | `data_validation` fails at once and names it |
    | a row of a file is malformed | it goes to `raw_rejected` with its line and the reason |
    | a row breaks a rule, is an orphan, or there twice | it goes to `shop_rejected`, an orphan until it is none |
    | more rows are rejected than `SHOP_MAX_BAD_SHARE` | `quality_checks` fails at once with the most frequent reason |
    | a week was late or corrected | clear its run |
    | the database or the storage is away, or a disk is full | the stage is tried again; of it all is there or nothing |
    | the run is not done in six hours | an e-mail says so, where `DEADLINE_ALERTS` is on; the run goes on |
    | the mail server is away | `completion` is tried again and then fails; the report is there |
    """,
)
def weekly_full_pipeline() -> None:
    """Define the DAG."""

    @task
    def data_validation(saturday: str) -> None:
        """See that the tables are there, and the week's files are there and whole."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.weekly.load import validate_week
        from etl.weekly.settings import read_week_settings

        with permanent_errors_fail(), database() as connection:
            rows = validate_week(saturday, read_week_settings(opened=storage), connection)
        print(f"The week's files are whole: {rows}.")

    @task
    def data_ingestion(saturday: str) -> None:
        """Land the week's files, and load them into the raw tables."""
        from etl.weekly.load import ingest_week
        from etl.weekly.settings import read_week_settings

        with permanent_errors_fail(), database() as connection:
            rows = ingest_week(saturday, read_week_settings(opened=storage), connection)
        print(f"Loaded {rows}.")

    @task
    def data_transformation() -> None:
        """Make the base tables what all raw rows say."""
        from etl.weekly.transform import transform

        with database() as connection:
            rejected = transform(connection)
        print(f"Rejected {rejected}.")

    @task
    def quality_checks(saturday: str) -> None:
        """See that each row of the week has arrived, or is rejected, and that these are few."""
        from etl.weekly.settings import read_week_settings
        from etl.weekly.transform import check_week

        with permanent_errors_fail(), database() as connection:
            arrived = check_week(saturday, read_week_settings(opened=storage), connection)
        print(f"All {arrived.rows:,} rows have arrived, {arrived.rejected:,} of them are rejected.")

    @task
    def reporting(sunday: str) -> None:
        """Write the week's report, and anew those of other weeks that say something else now."""
        from etl.weekly.report import write_reports
        from etl.weekly.settings import read_week_settings

        with database() as connection:
            facts = write_reports(sunday, read_week_settings(opened=storage), connection)
        print(f"The week had {facts['orders']:,} orders.")

    @task
    def completion(sunday: str) -> None:
        """Tell by e-mail that the report is there."""
        from etl.weekly.report import summary
        from etl.weekly.settings import read_week_settings

        print(send_mail(*summary(sunday, read_week_settings(opened=storage))))

    loaded = data_validation(SATURDAY) >> data_ingestion(SATURDAY) >> data_transformation()
    loaded >> quality_checks(SATURDAY) >> reporting(SUNDAY) >> completion(SUNDAY)


weekly_full_pipeline()
