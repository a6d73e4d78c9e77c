"""Odd input, by name: what is a broken file, and what is one bad item among good neighbours."""

from __future__ import annotations

import datetime
import gzip
import io
import json
from pathlib import Path

import pytest

from etl.archive.manifest import TABLES, read_manifest
from etl.errors import ArchiveError, EmptyFileError, InputError, TooLargeError, TruncatedFileError
from etl.logs.formats import read_head
from etl.logs.land import land_log
from etl.logs.parse import parse_log
from etl.logs.settings import read_log_settings
from etl.records import read_records
from etl.storage import open_storage
from etl.transactions.rows import COLUMNS, Counts, stage
from etl.weekly.files import TABLES as WEEKLY
from etl.weekly.files import check_file
from etl.weekly.settings import read_week_settings

DAY = datetime.date(2026, 1, 1)
NOTHING = [
    pytest.param(b"", "it holds no bytes", id="no-bytes"),
    pytest.param(b"\xef\xbb\xbf", "it holds no bytes", id="BOM"),
    pytest.param(b"\n", "it holds blank lines only", id="one-line-feed"),
    pytest.param(b"\xef\xbb\xbf\n", "it holds blank lines only", id="BOM-and-line-feed"),
    pytest.param(b"\r\n\r\n\n", "it holds blank lines only", id="blank-lines"),
]


def transactions(content: bytes) -> Counts:
    """Stage a file of transactions."""
    return stage(io.BytesIO(content), "f.csv", "2026-01-01", io.BytesIO(), io.BytesIO(), batch_rows=5, max_bad_share=1)


@pytest.mark.parametrize(("content", "reason"), NOTHING)
def test_a_file_without_a_header_is_broken_everywhere(content: bytes, reason: str) -> None:
    """It is no good empty day; the same sentence for each source."""
    for read in (
        lambda: transactions(content),
        lambda: list(check_file(io.BytesIO(content), "orders", "f.csv")),
        lambda: list(read_records(io.BytesIO(content), "f.csv")),
    ):
        with pytest.raises(EmptyFileError) as caught:
            read()
        assert str(caught.value) == f"f.csv is empty: {reason}."


def test_a_header_alone_is_what_its_source_says() -> None:
    """A day without transactions, a week in which nothing came; test_etl_transform has users, which always are some."""
    assert transactions(",".join(COLUMNS).encode() + b"\n") == (0, 0)
    assert list(check_file(io.BytesIO(",".join(WEEKLY["orders"]).encode() + b"\n"), "orders", "f.csv")) == []


def test_a_record_may_be_as_long_as_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable."""
    monkeypatch.setenv("CSV_MAX_RECORD_BYTES", "1000")
    with pytest.raises(TruncatedFileError) as caught:
        list(read_records(io.BytesIO(b"a\n" + b"x" * 2_000 + b"\n"), "f.csv"))
    assert str(caught.value) == (
        "f.csv is cut or no CSV: line 2 does not end within the 1,000 bytes that CSV_MAX_RECORD_BYTES allows."
    )


def test_an_email_of_6000_characters_is_a_rejected_row() -> None:
    """The index of the base table has no room for it; its neighbours are loaded."""
    row = "{},Ada,{},DE,2026-01-01\n"
    content = ",".join(WEEKLY["customers"]) + "\n" + row.format(1, "é" * 1_001 + "@x.org") + row.format(2, "a@x.org")
    rows = list(check_file(io.BytesIO(content.encode()), "customers", "f.csv"))
    assert [row.problem for row in rows] == ["email has 2,008 bytes, more than the 2,000 of SHOP_MAX_TEXT", None]
    assert read_week_settings({"DATA_ROOT": "/d", "SHOP_MAX_TEXT": "2600"}).max_text == 2_600


BAD_TIMES = [
    pytest.param('{"time": -1e18, "message": "x"}', id="minus-1e18"),
    pytest.param('{"time": 1e400, "message": "x"}', id="infinite"),
    pytest.param('{"time": NaN, "message": "x"}', id="not-a-number"),
    pytest.param('{"time": ' + "9" * 5_000 + ', "message": "x"}', id="5000-digits"),
    pytest.param('{"time": "0001-01-01T00:00:00+05:00", "message": "x"}', id="year-1-with-an-offset"),
    pytest.param('{"time": "9999-12-31T23:00:00-05:00", "message": "x"}', id="year-9999-with-an-offset"),
    pytest.param('{"time": "2026-01-01T00:00:00+17:00", "message": "x"}', id="offset-of-17-hours"),
    pytest.param("2026-01-01T10:00:00+17:00 host app[42]: text", id="syslog-offset-of-17-hours"),
    pytest.param("<34>1 0001-01-01T00:00:00+23:59 host app 42 ID47 - text", id="syslog-year-1"),
    pytest.param('{"a":' * 100_000, id="deep-nesting"),
]


@pytest.mark.parametrize("line", BAD_TIMES)
def test_a_time_that_cannot_be_makes_its_line_one_in_no_known_format(line: str) -> None:
    """It is kept with the unparsed ones; its neighbours are read."""
    good = '{"time": "2026-01-01T10:00:00Z", "level": "error", "message": "%s"}'
    log = "\n".join([good % "before", line, good % "after"]).encode()
    entries = list(parse_log(io.BytesIO(log), DAY))
    assert [entry.head and entry.head.message for entry in entries] == ["before", None, "after"]
    assert entries[1].text == line[: 1 << 20]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        pytest.param("1767225600", "2026-01-01T00:00:00+00:00", id="seconds"),
        pytest.param("1767225600.5", "2026-01-01T00:00:00.500000+00:00", id="fractions"),
        pytest.param("1767225600123", "2026-01-01T00:00:00.123000+00:00", id="milliseconds"),
        pytest.param("1767225600123456", "2026-01-01T00:00:00.123456+00:00", id="microseconds"),
        pytest.param("1767225600123456789", "2026-01-01T00:00:00.123456+00:00", id="nanoseconds"),
        pytest.param('"1767225600123456789"', "2026-01-01T00:00:00.123456+00:00", id="nanoseconds-as-text"),
        pytest.param("-1", "1969-12-31T23:59:59+00:00", id="before-1970"),
    ],
)
def test_an_epoch_is_a_time_whatever_it_counts(time: str, expected: str) -> None:
    """Its size tells what that is; no digit is lost to a float."""
    head = read_head(f'{{"time": {time}, "message": "x"}}', DAY)
    assert head
    assert head.time
    assert head.time.isoformat() == expected


def test_a_packed_log_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """The error names the variable; nothing has landed."""
    (tmp_path / "a.log").write_bytes(gzip.compress(b"x" * 1_000_000))
    settings = read_log_settings(
        {"DATA_ROOT": str(tmp_path / "data"), "LOGS_SOURCE": f"{tmp_path}/{{app}}.log", "LOGS_MAX_BYTES": "1000"}
    )
    with pytest.raises(TooLargeError) as caught:
        land_log("a", "2026-01-01", settings)
    assert str(caught.value) == (
        f"The log {tmp_path}/a.log, unpacked, cannot be landed: it has more than the 1,000 bytes that LOGS_MAX_BYTES "
        "allows."
    )
    assert isinstance(caught.value, InputError)
    assert not list((tmp_path / "data").rglob("*.log"))


ENTRY = {"rows": 1, "file": f"users_daily-{'a' * 12}.parquet", "sha256": "a" * 64}
GOOD = {"format": 1, "month": "2026-01", "tables": {"users_daily": ENTRY}}
TAMPERED = [
    pytest.param({**GOOD, "month": "2026-02"}, "it is about '2026-02'", id="another-month"),
    pytest.param({**GOOD, "format": 2}, "format: Input should be 1", id="another-format"),
    pytest.param({**GOOD, "tables": []}, "tables: Input should be an object", id="no-tables"),
    pytest.param({**GOOD, "more": 1}, "more: Extra inputs are not permitted", id="another-key"),
    pytest.param(
        {**GOOD, "tables": {"pg_shadow": {**ENTRY, "file": f"pg_shadow-{'a' * 12}.parquet"}}},
        "no table 'pg_shadow' is archived",
        id="unknown-table",
    ),
    pytest.param(
        {**GOOD, "tables": {"users_daily": {**ENTRY, "file": "../../etc/passwd"}}},
        "tables.users_daily.file: String should match pattern '^[a-z_]+-[0-9a-f]{12}\\.parquet$'",
        id="path-outside",
    ),
    pytest.param(
        {**GOOD, "tables": {"users_rejected": ENTRY}},
        "the file of users_rejected is not named after its table and checksum",
        id="file-of-another-table",
    ),
    pytest.param(
        {**GOOD, "tables": {"users_daily": {**ENTRY, "rows": -1}}},
        "tables.users_daily.rows: Input should be greater than or equal to 1",
        id="rows-below-0",
    ),
    pytest.param(
        {**GOOD, "tables": {"users_daily": {**ENTRY, "sha256": 3}}},
        "tables.users_daily.sha256: Input should be a valid string",
        id="checksum-of-another-type",
    ),
]


@pytest.mark.parametrize(("document", "reason"), TAMPERED)
def test_a_manifest_that_was_tampered_with_is_none(tmp_path: Path, document: object, reason: str) -> None:
    """It says what is wrong with it."""
    archive = open_storage(str(tmp_path))
    with archive.writing("2026-01/manifest.json") as file:
        file.write(json.dumps(document).encode())
    with pytest.raises(ArchiveError) as caught:
        read_manifest("2026-01", archive)
    name = archive.shown("2026-01/manifest.json")
    assert str(caught.value) == f"{name} is no manifest of 2026-01 ({reason}); run the month again."


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[" * 100_000, id="deep-nesting"),
        pytest.param(b"\xff", id="no-UTF-8"),
        pytest.param(b" " * (1 << 20) + b"{}", id="too-large"),
        pytest.param(b'{"format": ' + b"9" * 5_000 + b"}", id="5000-digits"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    """Whatever it holds."""
    archive = open_storage(str(tmp_path))
    with archive.writing("2026-01/manifest.json") as file:
        file.write(content)
    with pytest.raises(ArchiveError, match="is no manifest of 2026-01 "):
        read_manifest("2026-01", archive)


def test_a_good_manifest_is_read(tmp_path: Path) -> None:
    """The twin of those above."""
    archive = open_storage(str(tmp_path))
    with archive.writing("2026-01/manifest.json") as file:
        file.write(json.dumps(GOOD).encode())
    assert read_manifest("2026-01", archive).tables["users_daily"].rows == 1
    assert "users_daily" in TABLES
