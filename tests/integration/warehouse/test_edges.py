"""One bad item stops nothing beside it, on a real PostgreSQL; and what cannot be trusted changes no table."""

from __future__ import annotations

import datetime
import io
import json
import random
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.archive.backup import back_up
from etl.archive.manifest import digest
from etl.archive.restore import restore
from etl.archive.retention import retain
from etl.errors import ArchiveError, EmptyFileError
from etl.logs.land import raw_log
from etl.logs.report import publish
from etl.logs.settings import ALL_APPS, LogSettings
from etl.logs.stage import create_tables, stage_logs
from etl.model.client import ModelClient
from etl.settings import TransactionSettings
from etl.storage import Storage, open_storage
from etl.transactions.process import process
from etl.weekly.files import TABLES
from etl.weekly.load import ingest_week
from etl.weekly.settings import WeekSettings
from etl.weekly.transform import transform

pytestmark = pytest.mark.one_server

DAY = "2026-01-02"
BAD_TIMES = [
    '{"time": -1e18, "message": "x"}',
    '{"time": "0001-01-01T00:00:00+05:00", "level": "error", "message": "x"}',
    '{"time": "2026-01-01T00:00:00+17:00", "level": "error", "message": "x"}',
    '{"time": "0001-01-01T00:00:00Z", "level": "error", "message": "x"}',
    '{"time": "9999-12-31T23:59:59-15:59", "level": "error", "message": "x"}',
    '{"time": 99999999999999999999999999, "level": "error", "message": "x"}',
    '{"time": 1767312000123456789, "level": "error", "message": "in nanoseconds"}',
]


@pytest.mark.parametrize("source", ["/logs/{ds}/{app}.log", "/logs/{app}.log"], ids=["of-a-day", "of-many-days"])
def test_bad_times_in_one_log_stop_no_other(warehouse: psycopg.Connection[Any], tmp_path: Path, source: str) -> None:
    """All nine apps are published, with every line of the bad one."""
    settings = LogSettings(str(tmp_path), source, ALL_APPS)
    for app in ALL_APPS:
        path = tmp_path / raw_log(app, DAY)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [*BAD_TIMES, ""] if app == "timeApp" else ['{"time": "2026-01-02T00:00:00Z", "message": "fine"}', ""]
        path.write_text("\n".join(lines))
    create_tables(warehouse)
    stage_logs(DAY, settings, warehouse)
    publish(DAY, settings, warehouse)
    found = dict(warehouse.execute("SELECT app, lines FROM log_files").fetchall())
    assert found == {app: len(BAD_TIMES) if app == "timeApp" else 1 for app in ALL_APPS}
    query = "SELECT count(*) FROM log_exceptions WHERE message = 'in nanoseconds' AND first_time::date = %s"
    assert warehouse.execute(query, [DAY]).fetchone() == (1,)


def test_a_long_email_stops_no_week(warehouse: psycopg.Connection[Any], tmp_path: Path) -> None:
    """Its row is rejected; the longest that may be has room in the index, whatever is in it."""
    draw = random.Random(0)
    longest = "".join(chr(draw.randrange(0x10000, 0x1F000)) for _ in range(2_600 // 4 - 1)) + "@x.o"
    emails = ["a" * 6_000 + "@x.org", longest, "a@x.org"]
    contents = {
        "customers": [f"{number},Ada,{email},DE,2026-01-01" for number, email in enumerate(emails)],
        "products": [],
        "orders": [],
    }
    for table, lines in contents.items():
        (tmp_path / f"{table}.csv").write_text("\n".join([",".join(TABLES[table]), *lines, ""]), encoding="utf-8")
    settings = WeekSettings(str(tmp_path / "kept"), f"{tmp_path}/{{table}}.csv", max_text=2_600)
    assert ingest_week("2026-01-10", settings, warehouse)["raw_rejected"] == 1
    transform(warehouse)
    assert [row[0] for row in warehouse.execute("SELECT email FROM customers ORDER BY customer_id")] == emails[1:]
    assert warehouse.execute("SELECT reason FROM raw_rejected").fetchall() == [
        ("email has 6,006 bytes, more than the 2,600 of SHOP_MAX_TEXT",)
    ]


@pytest.mark.parametrize("content", [b"\n", b"\xef\xbb\xbf\n"], ids=["line-feed", "BOM-and-line-feed"])
def test_a_file_of_one_line_feed_loses_no_rows(
    warehouse: psycopg.Connection[Any], tmp_path: Path, content: bytes
) -> None:
    """It is a broken file: the day keeps its rows."""
    warehouse.execute(
        "INSERT INTO transactions VALUES ('t', 1, '2026-01-02T00:00Z', 1, 'EUR', 'web', 'DE', 'DE', '2026-01-02')"
    )
    lake = open_storage(str(tmp_path))
    with lake.writing(f"transactions/{DAY}.csv") as file:
        file.write(content)
    model = ModelClient("http://localhost:9", timeout=1, attempts=1)
    with pytest.raises(EmptyFileError):
        process(DAY, lake, model, warehouse, TransactionSettings(str(tmp_path)))
    assert warehouse.execute("SELECT count(*) FROM transactions").fetchone() == (1,)


@pytest.fixture
def archive(tmp_path: Path, warehouse: psycopg.Connection[Any]) -> Storage:
    """An archive with one row of a month."""
    archive = open_storage(str(tmp_path / "archive"))
    warehouse.execute("INSERT INTO users_daily (id, name, dt) VALUES (1, 'Ada', '2026-01-05')")
    back_up("2026-01", archive, warehouse)
    return archive


def tamper(archive: Storage, table: pa.Table | bytes, rows: int | None = None) -> None:
    """Put another file of users into the archive, under a name and with a checksum that are right."""
    content = io.BytesIO(table if isinstance(table, bytes) else b"")
    if not isinstance(table, bytes):
        pq.write_table(table, content)
    checksum = digest(io.BytesIO(content.getvalue()))
    name = f"users_daily-{checksum[:12]}.parquet"
    with archive.writing(f"2026-01/{name}") as file:
        file.write(content.getvalue())
    entry = {"rows": table.num_rows if rows is None else rows, "file": name, "sha256": checksum}  # type: ignore[union-attr]
    with archive.writing("2026-01/manifest.json") as file:
        file.write(json.dumps({"format": 1, "month": "2026-01", "tables": {"users_daily": entry}}).encode())


def users(*days: datetime.date | None) -> pa.Table:
    """Rows of users."""
    return pa.table({"id": range(len(days)), "dt": pa.array(days, pa.date32())})


INSIDE = datetime.date(2026, 1, 5)
SPOILT = [
    pytest.param(
        users(INSIDE, datetime.date(2026, 2, 1)), None, "has rows of another month than 2026-01", id="another-month"
    ),
    pytest.param(users(INSIDE, None), None, "has rows without a day", id="no-day"),
    pytest.param(pa.table({"id": [1]}), None, "has rows without a day", id="no-column"),
    pytest.param(users(INSIDE), 7, "has 1 rows, and the manifest of 2026-01 says 7", id="another-number"),
    pytest.param(b"PAR1 nothing PAR1", 1, "A file of 2026-01 is no Parquet file", id="no-Parquet"),
]


@pytest.mark.parametrize(("table", "rows", "reason"), SPOILT)
def test_a_month_holds_rows_of_its_month_only(
    warehouse: psycopg.Connection[Any], archive: Storage, table: pa.Table | bytes, rows: int | None, reason: str
) -> None:
    """What says otherwise is not restored, and no row changes."""
    tamper(archive, table, rows)
    with pytest.raises(ArchiveError, match=reason):
        restore("2026-01", archive, warehouse)
    assert warehouse.execute("SELECT id, name FROM users_daily").fetchall() == [(1, "Ada")]


def test_a_month_of_rows_of_its_month_is_restored(warehouse: psycopg.Connection[Any], archive: Storage) -> None:
    """The healthy twin."""
    tamper(archive, users(INSIDE, datetime.date(2026, 1, 1), datetime.date(2026, 1, 31)))
    restore("2026-01", archive, warehouse)
    assert warehouse.execute("SELECT count(*) FROM users_daily").fetchone() == (3,)


@pytest.mark.parametrize("month", ["0000-01", "9999-12", "2025-11"])
def test_one_bad_month_does_not_stop_the_others(
    warehouse: psycopg.Connection[Any], archive: Storage, month: str
) -> None:
    """It is left alone, with the reason; older good ones go."""
    for number in ("02", "03"):
        warehouse.execute(f"INSERT INTO users_daily (id, dt) VALUES (1, '2026-{number}-05')")
        back_up(f"2026-{number}", archive, warehouse)
    with archive.writing(f"{month}/manifest.json") as file:
        file.write(b'{"format": 1, "month": 3}')
    result = retain(1, archive, warehouse)
    assert (sorted(result.dropped), result.spared, list(result.broken)) == (["2026-01", "2026-02"], [], [month])
    assert "is no manifest of" in result.broken[month] or "is not a month" in result.broken[month]
