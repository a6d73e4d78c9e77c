"""Archive the warehouse's rows of each month, and keep the newest months of the archive."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import dag, task

from etl.settings import warehouse_pool
from wiring.mail import done_within, mail_failure
from wiring.tasks import default_args, permanent_errors_fail

# On the first of a month it is about the month before.
MONTH = "{{ logical_date.subtract(months=1).strftime('%Y-%m') }}"


@dag(
    dag_id="archive_warehouse",
    description="Backs the warehouse's rows of the month before up as Parquet.",
    schedule="0 5 1 * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
    max_active_runs=1,
    deadline=done_within(hours=12),
    default_args=default_args(
        pool=warehouse_pool(), execution_timeout=timedelta(hours=2), on_failure_callback=mail_failure
    ),
    tags=["warehouse", "archive"],
    doc_md="""
    ### The warehouse's months as Parquet

    Writes all rows of the month before, of each table that has a column `dt`, below `ARCHIVE_URL` (a folder, or
    `s3://bucket/…`): a Parquet file a table, and `{month}/manifest.json` with their checksums, which is replaced last
    and all at once. Then it reads all of it back and compares it with the database, and drops what is beyond the newest
    `ARCHIVE_KEEP` months. The same rows give the same bytes. `etl.archive.restore` brings a month back.

    Connections: `postgres_default`; for `s3://` also `minio_default` of type `aws`, with `endpoint_url` in its extra;
    `smtp_default` for failures, to whom the variable `alert_email` says. The settings are in `etl/settings.py`.

    **When it fails.** An e-mail says so. A reader of the archive sees the month as it was before, or all of it anew.

    | what | then |
    |---|---|
    | rows of the month come late or are corrected | clear its run: the manifest names new files, and the old ones go |
    | a table has lost all rows that the archive has | `back_up_month` fails at once: it has the only good copy |
    | the database changes in between | `verify_archive` fails at once and names the tables; clear the whole run |
    | a file in the archive was cut off or changed | `verify_archive` fails and names it; a rerun writes it anew |
    | an old month is broken, or no longer in the database | `apply_retention` leaves it alone, and its log names it |
    | a table is missing | `back_up_month` fails at once and names it |
    | the database or the archive is away, or a disk is full | the task is tried again, and nothing half-done shows |
    | the run is not done in twelve hours | an e-mail says so, where `DEADLINE_ALERTS` is on; the run goes on |
    | the mail server is away | the task fails as it would have, and its log says that no e-mail went out |
    """,
)
def archive_warehouse() -> None:
    """Define the DAG."""

    @task
    def back_up_month(month: str) -> None:
        """Write the month's rows into the archive."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.archive.backup import back_up
        from etl.settings import archive_url
        from wiring.places import database, storage

        with permanent_errors_fail(), database() as connection:
            manifest = back_up(month, storage(archive_url()), connection)
        print(f"Archived {manifest.rows:,} rows of {month} in {len(manifest.files):,} files.")

    @task
    def verify_archive(month: str) -> None:
        """Read the month back and compare it with the database."""
        from etl.archive.backup import verify
        from etl.settings import archive_url
        from wiring.places import database, storage

        with permanent_errors_fail(), database() as connection:
            manifest = verify(month, storage(archive_url()), connection)
        print(f"All {manifest.rows:,} rows of {month} are in the archive as they are in the database.")

    @task
    def apply_retention(month: str) -> None:
        """Remove what the month's manifest no longer names, and months that are too old."""
        from etl.archive.retention import retain, tidy
        from etl.settings import archive_keep, archive_url
        from wiring.places import database, storage

        with permanent_errors_fail():
            archive = storage(archive_url())
            left = tidy(month, archive)
            with database() as connection:
                retention = retain(archive_keep(), archive, connection)
        print(f"Removed {len(left):,} old files of {month}; dropped {', '.join(retention.dropped) or 'no month'}.")
        if retention.spared:
            print(f"Kept {', '.join(retention.spared)}, although old: the database no longer has what is in there.")
        for broken, reason in retention.broken.items():
            print(f"Left {broken} alone: {reason}")

    back_up_month(MONTH) >> verify_archive(MONTH) >> apply_retention(MONTH)


archive_warehouse()
