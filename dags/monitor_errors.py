"""Count what nine apps have logged each day, group their exceptions, and tell by e-mail when there are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task, task_group

from etl.logs.settings import watched_apps
from etl.settings import warehouse_pool
from wiring.mail import done_within, mail_failure, send_mail
from wiring.places import database, storage
from wiring.tasks import default_args, permanent_errors_fail

if TYPE_CHECKING:
    from etl.logs.places import SftpServer

# An hour after midnight it is about the day before.
DAY = "{{ logical_date.subtract(days=1).to_date_string() }}"


def sftp_server() -> SftpServer:
    """Return the server of the connection `logs_sftp`."""
    from airflow.sdk import BaseHook

    from etl.logs.places import SftpServer

    connection = BaseHook.get_connection("logs_sftp")
    extra = connection.extra_dejson
    return SftpServer(
        host=connection.host or "",
        port=connection.port or 22,
        user=connection.login or "",
        password=connection.password or "",
        private_key=extra.get("private_key", ""),
        host_key=extra.get("host_key", ""),
    )


@dag(
    dag_id="monitor_errors",
    description="Counts and groups the errors in nine apps' logs of the day before.",
    schedule="0 1 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
    max_active_runs=1,
    max_active_tasks=3,  # downloads, that is: log servers allow few connections at once
    deadline=done_within(hours=3),
    default_args=default_args(pool=warehouse_pool(), on_failure_callback=mail_failure),
    tags=["warehouse", "logs", "monitoring"],
    doc_md="""
    ### Errors in the logs of a day

    Lands each app's log in `raw/logs/{day}/{app}.log`, unpacked and with the rotated ones beside it, from the place
    that `LOGS_SOURCE` names: a folder, a bucket, an SFTP server, an HTTP(S) address, or a generator. A log that lies in
    `inbox/logs/{day}/{app}.log` is taken instead. All this is below `LOGS_STORAGE`, a folder (`DATA_ROOT` unless told)
    or `s3://bucket/…`. Any of the formats in `etl/logs/formats.py` is read. Of the
    day there are counts by app and level in `log_counts`, exceptions grouped in `log_exceptions`, each line that is in
    no known format in `log_unparsed`, how much was read in `log_files`, and a page with its JSON in
    `reports/monitor_errors/`. Where an app has more errors than `LOGS_MAX_ERRORS`, an alert goes out.

    Tasks in between work on `log_staged`, which `drop_exception` clears: what is published is replaced in one
    transaction, so that a reader sees the old result or the new one, and a rerun leaves the same rows.

    Connections: `postgres_default`; `smtp_default` whose extra has `from_email`; for SFTP `logs_sftp`, whose extra has
    `host_key` and, for a login without a password, `private_key`; for `s3://` `minio_default` of type `aws`, with
    `endpoint_url` in its extra. The Airflow variable `alert_email` says who is told;
    without it, nobody is told of too many errors. The settings are in `etl/logs/settings.py`.

    **When it fails.** An e-mail says which task, and why. The tables keep what they had before.

    | what | then |
    |---|---|
    | a log is late, or its server away | its download is tried again, further and further apart, and the others go on |
    | a log is cut, packed and not whole, or rotated while it is read | the same; nothing of it is landed |
    | a log grew, or came once more | the download takes the place of the one before; no line counts twice |
    | lines are malformed | they are counted, and kept in `log_unparsed` |
    | a log was wrong | put the right one into the inbox, and clear the run |
    | the database or the storage is away, or a disk is full | what needs it is tried again |
    | the run is not done in three hours | an e-mail says so, where `DEADLINE_ALERTS` is on; the run goes on |
    | the mail server is away | `send_alert` is tried again and then fails; the results are there |
    """,
)
def monitor_errors() -> None:
    """Define the DAG."""

    @task(pool="default_pool")  # it has nothing to do with the warehouse
    def download(app: str, day: str) -> None:
        """Land the day's log of an app."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.logs.land import land_log
        from etl.logs.settings import read_log_settings

        with permanent_errors_fail():
            settings = read_log_settings(opened=storage)
            size = land_log(app, day, settings, sftp_server() if settings.kind == "sftp" else None)
        print(f"Landed {size:,} bytes of {app}.")

    @task
    def drop_exception(day: str) -> None:
        """Remove what an earlier run of the day has staged."""
        from etl.logs.stage import drop_staged

        with database() as connection:
            drop_staged(day, connection)

    @task
    def create_table() -> None:
        """Make the tables that are not there yet."""
        from etl.logs.stage import create_tables

        with database() as connection:
            create_tables(connection)

    @task
    def parse_log(day: str) -> None:
        """Stage the day's exceptions, and the lines that are in no known format."""
        from etl.logs.settings import read_log_settings
        from etl.logs.stage import stage_logs
        from etl.spark.settings import transform_engine

        with permanent_errors_fail(), database() as connection:
            lines = stage_logs(day, read_log_settings(opened=storage), connection, transform_engine())
        print(f"Parsed {sum(lines.values()):,} lines: {lines}.")

    @task
    def gen_reports(day: str) -> None:
        """Publish the day's result, and write its report."""
        from etl.logs.report import publish
        from etl.logs.settings import read_log_settings

        with database() as connection:
            kinds = publish(day, read_log_settings(opened=storage), connection)
        print(f"Published {kinds:,} kinds of exceptions.")

    @task.branch
    def check_threshold(day: str) -> str:
        """Choose whether an alert is due."""
        from etl.logs.report import excesses
        from etl.logs.settings import read_log_settings

        with database() as connection:
            found = excesses(day, read_log_settings(opened=storage), connection)
        print("Too many errors: " + ", ".join(map(str, found)) if found else "No app has too many errors.")
        return "send_alert" if found else "all_quiet"

    @task
    def send_alert(day: str) -> None:
        """Tell by e-mail which apps have too many errors, and which."""
        from etl.logs.report import alert
        from etl.logs.settings import read_log_settings

        with database() as connection:
            subject, html = alert(day, read_log_settings(opened=storage), connection)
        print(send_mail(subject, html))

    @task_group(prefix_group_id=False)
    def downloads() -> None:
        """All logs at once; a group, so that it can be folded in the graph."""
        for app in watched_apps():
            download.override(task_id=f"download_{app}")(app, DAY)

    threshold = check_threshold(DAY)
    downloads() >> drop_exception(DAY) >> create_table() >> parse_log(DAY) >> gen_reports(DAY) >> threshold
    threshold >> [send_alert(DAY), EmptyOperator(task_id="all_quiet")]


monitor_errors()
