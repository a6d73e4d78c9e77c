"""What `archive_warehouse` promises, seen by running it on real servers: PostgreSQL, S3, and mail."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from dagproof.postgres.server import PostgresServer
from etl.archive.manifest import Manifest, manifest_name, read_manifest
from etl.archive.restore import restore
from etl.shop.load import load_shop
from etl.shop.size import Shop
from etl.storage import Storage, open_storage
from tests.support.object_store import KEY, SECRET, ObjectStore
from tests.support.runs import retried

pytestmark = [pytest.mark.one_server, pytest.mark.slow]

DAG = "archive_warehouse"
DS, MONTH = "2026-02-01", "2026-01"  # it archives the month before
TASKS = ("back_up_month", "verify_archive", "apply_retention")
numbers = itertools.count()


class Archive:
    """The DAG, a database with a small shop in it, an empty archive in a bucket, and a mailbox."""

    def __init__(self, airflow: Any, database: psycopg.Connection[Any], mail: Any, storage: Storage) -> None:
        self.airflow = airflow
        self.database = database
        self.mail = mail
        self.storage = storage
        self.env: dict[str, str] = {}
        load_shop(database, Shop(40, 12, 150, dirt=0.05))

    def run(self, ds: str = DS, **request: Any) -> dict[str, Any]:
        """Run the DAG for a date and return what happened."""
        env = self.env | request.pop("env", {})
        answer: dict[str, Any] = self.airflow.ask(dag=DAG, ds=ds, env=env, **request)
        return answer

    def files(self) -> dict[str, bytes]:
        """Return all that is in the archive."""
        found = {}
        for name in self.storage.names():
            with self.storage.reading(name) as file:
                found[name] = file.read()
        return found

    def manifest(self) -> Manifest:
        """Return what a reader goes by."""
        return read_manifest(MONTH, self.storage)

    def rows(self, table: str = "raw_orders") -> list[tuple[Any, ...]]:
        """Return the month's rows of a table."""
        query = f"SELECT t::text FROM {table} AS t WHERE dt >= '2026-01-01' AND dt < '2026-02-01' ORDER BY 1"
        return self.database.execute(query).fetchall()

    def sentences(self) -> list[str]:
        """Return what the e-mails say."""
        return [str(mail).split("<p>")[1].split("</p>")[0] for mail in self.mail.texts()]


@pytest.fixture
def archive(
    airflow: Any, warehouse: psycopg.Connection[Any], postgres_default: str, mail: Any, s3: ObjectStore
) -> Archive:
    """Nothing is archived yet."""
    info = warehouse.info
    url = s3.make_bucket(f"archive-{next(numbers)}") + "/months"
    archive = Archive(airflow, warehouse, mail, open_storage(url, s3.credentials))
    minio = {"conn_type": "aws", "login": KEY, "password": SECRET, "extra": {"endpoint_url": s3.endpoint}}
    archive.env = {
        "AIRFLOW_CONN_POSTGRES_DEFAULT": postgres_default,
        "AIRFLOW_CONN_MINIO_DEFAULT": json.dumps(minio),
        "DATABASE": psycopg.conninfo.make_conninfo(info.dsn, password=info.password),
        "ARCHIVE_URL": url,
        **mail.env(),
    }
    return archive


def test_a_month_is_archived_and_can_be_restored(archive: Archive) -> None:
    """Once more leaves the same bytes, nobody gets an e-mail, and no credential is written down."""
    assert archive.run()["state"] == "success", archive.airflow.printed()
    files, rows = archive.files(), archive.rows()
    assert archive.run()["state"] == "success"
    assert archive.files() == files
    archive.database.execute("DELETE FROM raw_orders")
    restore(MONTH, archive.storage, archive.database)
    assert archive.rows() == rows != []
    assert archive.mail.texts() == []
    home = archive.airflow.log.parent
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert written.count(b"back_up_month") > 3
    for secret in (SECRET, archive.database.info.password):
        assert secret.encode() not in written


def test_late_and_corrected_rows_are_archived_by_another_run(archive: Archive, tmp_path: Path) -> None:
    """With nothing left of the old ones: the archive is what a first run would have made of it."""
    archive.run()
    before = archive.files()
    archive.database.execute("UPDATE raw_orders SET total = 0 WHERE dt >= '2026-01-10'")
    archive.database.execute("DELETE FROM raw_customers WHERE dt >= '2026-01-20'")
    assert archive.run()["state"] == "success", archive.airflow.printed()
    folder = {"ARCHIVE_URL": str(tmp_path / "fresh")}
    assert archive.run(env=folder)["state"] == "success"
    fresh = open_storage(str(tmp_path / "fresh"))
    after = archive.files()
    assert after != before
    assert sorted(after) == fresh.names()
    for name, content in after.items():
        with fresh.reading(name) as file:
            assert file.read() == content


def test_rows_that_are_gone_do_not_take_the_archive_along(archive: Archive) -> None:
    """It fails at once, and the e-mail says what to do."""
    archive.run()
    files = archive.files()
    archive.database.execute("DELETE FROM raw_orders")
    seen = archive.run()
    assert seen["tasks"] == dict(zip(TASKS, ("failed", "upstream_failed", "upstream_failed"), strict=True))
    assert not retried(seen)
    assert archive.sentences()[0].startswith("raw_orders has no rows of 2026-01 any more, and the archive has ")
    assert archive.files() == files


def test_a_file_that_was_cut_off_is_written_anew(archive: Archive) -> None:
    """The next run finds it and mends it."""
    archive.run()
    files = archive.files()
    name = sorted(archive.manifest().files)[0]
    with archive.storage.writing(name) as file:
        file.write(files[name][:-1])
    assert archive.run()["state"] == "success", archive.airflow.printed()
    assert archive.files() == files


def test_old_months_go_and_the_only_good_copy_stays(archive: Archive) -> None:
    """The log names what was kept although it is old."""
    for ds in ("2026-01-01", "2026-02-01", "2026-03-01"):
        assert archive.run(ds)["state"] == "success"
    archive.database.execute("DELETE FROM raw_orders WHERE dt < '2026-01-01'")
    assert archive.run("2026-04-01", env={"ARCHIVE_KEEP": "2"})["state"] == "success"
    assert "dropped 2026-01." in archive.airflow.printed()
    assert "Kept 2025-12, although old: the database no longer has what is in there." in archive.airflow.printed()
    manifests = [name for name in archive.storage.names() if name.endswith("manifest.json")]
    assert manifests == [manifest_name(month) for month in ("2025-12", "2026-02", "2026-03")]


def test_a_missing_table_is_told_at_once(archive: Archive) -> None:
    """Nothing is written."""
    archive.database.execute("DROP TABLE users_daily")
    seen = archive.run()
    assert not retried(seen)
    assert archive.sentences() == ["There is no table users_daily; the files in etl/sql make what is missing."]
    assert archive.files() == {}


@pytest.mark.parametrize("how", ["terminate", "restart"])
def test_a_database_that_restarts_leaves_the_archive_as_it_was(
    archive: Archive, how: str, postgres_server: PostgresServer
) -> None:
    """The connection ends between two tables, or the server breaks down; tried again, all is there."""
    if how == "restart" and postgres_server.kind != "embedded":
        pytest.skip("only a server on this machine can be made to break down")
    archive.run()
    files = archive.files()
    archive.database.execute("UPDATE raw_orders SET total = 0 WHERE dt >= '2026-01-10'")
    seen = archive.run(sabotage=how, sabotaged="etl.archive.export._batch")
    assert seen["state"] == "success", archive.airflow.printed()
    assert retried(seen)
    manifest = archive.manifest()
    assert set(archive.files()) == {*manifest.files, manifest_name(MONTH)} != set(files)


def test_a_full_disk_leaves_no_half_of_a_file(archive: Archive, tmp_path: Path) -> None:
    """The task is tried again, says why, and then all is there."""
    env = {"ARCHIVE_URL": str(tmp_path / "archive")}
    seen = archive.run(env=env, sabotage="full", sabotaged="os.fsync")
    assert seen["state"] == "success", archive.airflow.printed()
    assert retried(seen)
    assert f"{tmp_path}/archive/2026-01/raw_customers-" in archive.airflow.printed()
    assert ".parquet cannot be written: No space left on device." in archive.airflow.printed()
    manifest = read_manifest(MONTH, open_storage(env["ARCHIVE_URL"]))
    written = {path.relative_to(tmp_path / "archive").as_posix() for path in (tmp_path / "archive").rglob("*.*")}
    assert written == {*manifest.files, manifest_name(MONTH)}


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_place_where_nothing_can_be_written_is_told(archive: Archive, place: str, tmp_path: Path) -> None:
    """Tried again where that may help; the e-mail has one clear sentence."""
    url = str(tmp_path / "file" / "archive") if place == "folder" else "s3://nowhere/archive"
    (tmp_path / "file").write_text("no folder can be made in a file")
    seen = archive.run(env={"ARCHIVE_URL": url})
    assert seen["tasks"]["back_up_month"] == "failed"
    assert bool(retried(seen)) == (place == "folder")
    (sentence,) = archive.sentences()
    assert sentence.startswith(f"{url}/2026-01/")
    assert " cannot be " in sentence


def test_a_mail_server_that_is_away_changes_nothing_else(archive: Archive) -> None:
    """The task fails as it would have, and the log says that no e-mail went out."""
    archive.database.execute("DROP TABLE users_daily")
    archive.mail.close()
    assert archive.run()["tasks"]["back_up_month"] == "failed"
    assert "Failed to run task callback" in archive.airflow.printed()
    assert "There is no table users_daily" in archive.airflow.printed()
