"""restore(backup(S)) = S, and an archive that nobody can spoil unnoticed; on a real PostgreSQL and a real S3 server."""

from __future__ import annotations

import datetime
import decimal
import itertools
import json
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from etl.archive.backup import back_up, differences, verify
from etl.archive.manifest import TABLES, manifest_name, month_bounds, read_manifest
from etl.archive.restore import restore
from etl.archive.retention import Retention, months, retain, tidy
from etl.errors import ArchiveError, ChangedMeanwhileError, LoadError, MissingFileError, SettingsError
from etl.shop.load import load_shop
from etl.shop.size import Shop
from etl.storage import Storage, open_storage
from tests.support.object_store import object_store

pytestmark = pytest.mark.one_server

MONTH, OTHER = "2026-01", "2026-02"
IN_MONTH = st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 1, 31))
AROUND = st.dates(datetime.date(2025, 12, 30), datetime.date(2026, 2, 2))
texts = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
whole = st.none() | st.integers(-(2**63), 2**63 - 1)
dates = st.none() | st.dates() | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC"])
numerics = (
    st.none()
    | st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) < 1_000)
    | st.sampled_from([decimal.Decimal(text) for text in ("NaN", "Infinity", "-Infinity", "0.00", "-0", "1E+30")])
)
json_values = st.lists(st.none() | st.integers() | st.text("ab\"'\\\n,", max_size=4), max_size=3).map(json.dumps)
moments = st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30)) | st.just("infinity")
cents = st.decimals(0, 10**9, places=2)

small = st.text("abc\"'\\\n\r\t,;é ", min_size=1, max_size=5)
letters = st.text("AB", max_size=2)

ROWS = {
    "users_daily": st.tuples(st.integers(-(2**63), 2**63 - 1), texts, texts, texts, dates, AROUND),
    "raw_orders": st.tuples(
        *[whole] * 3, dates, texts, st.none() | st.integers(-5, 5), *[numerics] * 3, AROUND, st.integers(0, 2)
    ),
    "quality_results": st.tuples(
        small, letters, letters, *[st.integers(0, 9)] * 3, st.decimals(0, 100, places=4), json_values, AROUND
    ),
    "transactions": st.tuples(small, st.integers(0, 9), moments, cents, *[letters] * 4, AROUND),
    "predictions": st.tuples(st.uuids(), small, st.decimals(0, 1, places=6), letters, AROUND),
}
KEYS = {
    "users_daily": lambda row: (row[0], row[-1]),
    "quality_results": lambda row: (row[0], row[-1]),
    "transactions": lambda row: (row[0], row[-1]),
    "predictions": lambda row: (row[0],),
}


def insert(connection: psycopg.Connection[Any], table: str, rows: list[tuple[Any, ...]], order: int = 1) -> None:
    """Add rows to a table, in their order or (-1) the other way round; of those with the same key, the last."""
    if table in KEYS:
        rows = list({KEYS[table](row): row for row in rows}.values())
    if table == "predictions":
        rows = list({(row[1], row[-1]): row for row in rows}.values())
    for row in rows[::order]:
        values = sql.SQL(", ").join(sql.SQL("%s") for _ in row)
        connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), values), row)


def rows_of(connection: psycopg.Connection[Any], *which: str) -> dict[str, list[str]]:
    """Return all rows of the archived tables, as PostgreSQL writes them."""
    query = "SELECT t::text FROM {} AS t ORDER BY 1"
    return {
        table: [row for (row,) in connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchall()]
        for table in which or TABLES
    }


def empty(connection: psycopg.Connection[Any], *which: str) -> None:
    """Remove all rows of the archived tables."""
    for table in which or TABLES:
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def files_of(archive: Storage) -> dict[str, bytes]:
    """Return all that is in an archive."""
    found = {}
    for name in archive.names():
        with archive.reading(name) as file:
            found[name] = file.read()
    return found


@pytest.fixture
def archive(tmp_path: Path) -> Storage:
    """An empty archive in a folder."""
    return open_storage(str(tmp_path / "archive"))


@pytest.fixture
def shop(warehouse: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A small shop with some dirt, of several months."""
    load_shop(warehouse, Shop(40, 12, 150, dirt=0.05))
    return warehouse


fresh = itertools.count()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(contents=st.fixed_dictionaries({table: st.lists(rows, max_size=3) for table, rows in ROWS.items()}))
def test_restore_of_a_backup_gives_identical_rows(
    contents: dict[str, list[tuple[Any, ...]]], warehouse: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """Whatever is in them, nulls and infinities too, and rows of other months are left alone.

    The order in which rows came is no matter for the archive.
    """
    archive, again = (open_storage(str(tmp_path / f"archive-{next(fresh)}")) for _ in range(2))
    for place, order in ((again, -1), (archive, 1)):
        empty(warehouse)
        for table, rows in contents.items():
            insert(warehouse, table, rows, order)
        manifest = back_up(MONTH, place, warehouse)
    assert files_of(again) == files_of(archive)
    before = rows_of(warehouse)
    for table in TABLES:
        query = sql.SQL("DELETE FROM {} WHERE dt >= %s AND dt < %s").format(sql.Identifier(table))
        warehouse.execute(query, month_bounds(MONTH))
    assert manifest.rows == sum(map(len, before.values())) - sum(map(len, rows_of(warehouse).values()))
    restore(MONTH, archive, warehouse)
    assert rows_of(warehouse) == before
    assert differences(manifest, warehouse) == []


def test_a_bucket_brings_back_what_a_folder_does(shop: psycopg.Connection[Any], tmp_path: Path) -> None:
    """The same files, byte for byte, and the same rows in an empty database, month by month."""
    folder = open_storage(str(tmp_path / "archive"))
    before = rows_of(shop)
    every = sorted(
        {
            f"{row[0]:%Y-%m}"
            for row in shop.execute(
                "SELECT dt FROM raw_orders UNION SELECT dt FROM raw_customers UNION SELECT dt FROM raw_products"
            )
        }
    )
    with object_store(tmp_path / "s3") as server:
        bucket = open_storage(server.make_bucket("archive") + "/months", server.credentials)
        for month in every:
            back_up(month, folder, shop)
            back_up(month, bucket, shop)
            verify(month, bucket, shop)
        assert files_of(bucket) == files_of(folder)
        empty(shop)
        for month in every:
            restore(month, bucket, shop)
    assert rows_of(shop) == before
    assert len(every) > 3


def test_every_table_of_days_is_archived(warehouse: psycopg.Connection[Any]) -> None:
    """Whoever adds one has to decide; what is only kept for the next attempt, or follows from raw rows, need not be."""
    found = warehouse.execute(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'dt' AND table_schema = 'public'"
    ).fetchall()
    assert {name for (name,) in found} - {"scored_batches", "shop_rejected"} == set(TABLES)


def test_columns_have_the_types_that_they_should(shop: psycopg.Connection[Any], archive: Storage) -> None:
    """So that others can read the files."""
    manifest = back_up(MONTH, archive, shop)
    insert(shop, "transactions", [("t", 1, "2026-01-05T10:00Z", "1.50", "EUR", "web", "DE", "DE", "2026-01-05")])
    manifest = back_up(MONTH, archive, shop)
    path = f"{archive.url}/{MONTH}/{manifest.tables['transactions'].file}"
    (row,) = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    day = datetime.date(2026, 1, 5)
    assert row == ("t", 1, "2026-01-05 10:00:00+00", decimal.Decimal("1.50"), "EUR", "web", "DE", "DE", day)


def test_a_rerun_changes_no_byte_and_a_correction_only_its_table(
    shop: psycopg.Connection[Any], archive: Storage
) -> None:
    """What the manifest no longer names is there until somebody tidies up."""
    back_up(MONTH, archive, shop)
    before = files_of(archive)
    back_up(MONTH, archive, shop)
    assert (files_of(archive), tidy(MONTH, archive)) == (before, [])
    shop.execute("UPDATE raw_orders SET total = 0 WHERE dt = '2026-01-10' OR dt = '2026-01-11'")
    manifest = back_up(MONTH, archive, shop)
    old = set(before) - {*manifest.files, manifest_name(MONTH)}
    assert [name.split("/")[1].split("-")[0] for name in old] == ["raw_orders"]
    assert tidy(MONTH, archive) == sorted(old)
    assert set(archive.names()) == {*manifest.files, manifest_name(MONTH)}


def test_rows_that_are_gone_do_not_replace_the_only_copy(shop: psycopg.Connection[Any], archive: Storage) -> None:
    """The archive stays as it is, and the rows can be restored."""
    before = rows_of(shop)
    back_up(MONTH, archive, shop)
    files = files_of(archive)
    empty(shop, "raw_orders")
    with pytest.raises(ArchiveError, match=r"^raw_orders has no rows of 2026-01 any more, and the archive has \d+;"):
        back_up(MONTH, archive, shop)
    assert files_of(archive) == files
    restore(MONTH, archive, shop)
    assert set(rows_of(shop)["raw_orders"]) < set(before["raw_orders"])
    verify(MONTH, archive, shop)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_file_changes_unnoticed(
    data: st.DataObject, shop: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """Changed, missing or cut off: neither verified nor restored; another run mends it."""
    archive = open_storage(str(tmp_path / "spoilt"))
    manifest = back_up(MONTH, archive, shop)
    before, rows = files_of(archive), rows_of(shop)
    name = data.draw(st.sampled_from(sorted(manifest.files)))
    path = Path(archive.url, name)
    at = data.draw(st.integers(0, len(before[name]) - 1))
    spoilt = data.draw(
        st.sampled_from(
            [None, before[name][:at], before[name][:at] + bytes([before[name][at] ^ 1]) + before[name][at + 1 :]]
        )
    )
    path.unlink()
    if spoilt is not None:
        path.write_bytes(spoilt)
    with pytest.raises(ArchiveError, match=path.name):
        verify(MONTH, archive, shop)
    with pytest.raises((ArchiveError, MissingFileError), match=path.name):
        restore(MONTH, archive, shop)
    assert rows_of(shop) == rows
    back_up(MONTH, archive, shop)
    assert files_of(archive) == before


def test_a_manifest_that_is_none_is_no_archive(shop: psycopg.Connection[Any], archive: Storage) -> None:
    """Another run writes it anew."""
    back_up(MONTH, archive, shop)
    before = files_of(archive)
    for content in (b"", b"{}", b"[1]", before[manifest_name(MONTH)].replace(b"2026-01", b"2026-02")):
        with archive.writing(manifest_name(MONTH)) as file:
            file.write(content)
        with pytest.raises(ArchiveError, match=r"manifest\.json is no manifest of 2026-01"):
            read_manifest(MONTH, archive)
        back_up(MONTH, archive, shop)
        assert files_of(archive) == before


def test_a_database_that_has_changed_is_told(shop: psycopg.Connection[Any], archive: Storage) -> None:
    """With the tables that differ."""
    back_up(MONTH, archive, shop)
    insert(shop, "quality_scores", [("1", "F", datetime.date(2026, 1, 5))])
    shop.execute("DELETE FROM raw_orders WHERE dt = (SELECT max(dt) FROM raw_orders WHERE dt < '2026-02-01')")
    with pytest.raises(ChangedMeanwhileError, match="The rows of 2026-01 in quality_scores, raw_orders are not"):
        verify(MONTH, archive, shop)


def test_a_month_that_is_none_and_a_missing_table_are_told(shop: psycopg.Connection[Any], archive: Storage) -> None:
    """Before anything is written."""
    for month in ("2026-13", "2026", "../etc", "2026-1"):
        with pytest.raises(SettingsError, match="is not a month written YYYY-MM"):
            back_up(month, archive, shop)
    with pytest.raises(MissingFileError, match="manifest.json is not there"):
        restore("2020-01", archive, shop)
    shop.execute("DROP TABLE users_rejected")
    with pytest.raises(LoadError, match="There is no table users_rejected; "):
        back_up(MONTH, archive, shop)
    assert archive.names() == []


MONTHS = ["2025-12", "2026-01", "2026-02", "2026-03"]


def test_old_months_go_unless_they_are_the_only_good_copy(shop: psycopg.Connection[Any], archive: Storage) -> None:
    """The newest good ones stay; a broken one counts for nothing and is left to be looked at."""
    for month in MONTHS:
        back_up(month, archive, shop)
    assert retain(4, archive, shop) == Retention([], [], {})
    shop.execute("DELETE FROM raw_orders WHERE dt < '2026-01-01'")  # purged: only the archive has them now
    assert retain(2, archive, shop) == Retention(["2026-01"], ["2025-12"], {})
    assert months(archive) == ["2025-12", "2026-02", "2026-03"]
    assert archive.names("2026-01") == []
    newest = read_manifest("2026-03", archive)
    archive.delete(gone := next(iter(newest.files)))
    reason = f"{archive.shown(gone)} is not there. The manifest of 2026-03 names it; run the month again."
    assert retain(1, archive, shop) == Retention([], ["2025-12"], {"2026-03": reason})
    assert months(archive) == ["2025-12", "2026-02", "2026-03"]
