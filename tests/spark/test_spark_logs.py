"""Spark reads a log as one process does: the same entries, in order."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.errors import TruncatedFileError
from etl.logs import parse
from etl.logs.land import land_log
from etl.logs.parse import Entry
from etl.logs.read import read_log
from etl.logs.settings import ALL_APPS, LogSettings
from etl.logs.spark import cut, parse_with_spark
from etl.logs.stage import create_tables, stage_logs
from etl.spark.settings import ENGINES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAY = datetime.date(2026, 1, 1)

LINES = [
    "2026-01-01 10:00:00,500 ERROR [main] org.App: it broke",
    "java.lang.IllegalStateException: no",
    "\tat org.App.main(App.java:7)",
    "Caused by: java.io.IOException: disk",
    "2026-01-01 10:00:00,500 - app - WARNING - low",
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "ValueError: é",
    '{"time": "2026-01-01T10:00:00Z", "level": "error", "message": "text"}',
    "Jan  1 10:00:00 host app[42]: text",
    "<34>1 2026-01-01T10:00:00.5+05:30 host app 42 ID47 - text",
    "of no format",
    "",
    "x" * 40,
]


def alone(path: Path) -> list[Entry]:
    """Return what one process reads."""
    return list(read_log(path, DAY))


logs = st.lists(st.sampled_from(LINES), max_size=60).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).flatmap(
        lambda end: st.sampled_from(["", end]).map(lambda last: (end.join(lines) + last).encode())
    )
)


@settings(max_examples=300, deadline=None)
@given(log=logs, piece=st.integers(1, 300))
def test_pieces_are_the_log_and_begin_with_entries(
    tmp_path_factory: pytest.TempPathFactory, log: bytes, piece: int
) -> None:
    """One after another they are all of it, and reading each alone gives the entries of the whole."""
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_bytes(log)
    pieces = list(cut(path, DAY, piece))
    assert [one.start for one in pieces] == [0, *(one.end for one in pieces)][: len(pieces)]
    assert b"".join(log[one.start : one.end] for one in pieces) == log
    found: list[Entry] = []
    for number, one in enumerate(pieces):
        part = path.with_name(f"{number}.log")
        part.write_bytes(log[one.start : one.end])
        before = sum(entry.lines for entry in found)
        found += [entry._replace(line=entry.line + before) for entry in alone(part)]
    assert found == alone(path)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs, piece=st.integers(1, 2_000))
def test_spark_reads_what_one_process_reads(spark: SparkSession, tmp_path: Path, log: bytes, piece: int) -> None:
    """Entry for entry, wherever the log is cut; nothing of it is lost."""
    path = tmp_path / "a.log"
    path.write_bytes(log)
    found = list(parse_with_spark(path, DAY, piece_bytes=piece))
    assert found == alone(path)
    assert sum(entry.lines for entry in found) == len(log.splitlines())


def test_a_large_log_is_the_same(spark: SparkSession, tmp_path: Path) -> None:
    """Tens of thousands of lines, in several pieces, with lines longer than one may be."""
    path = tmp_path / "a.log"
    long = "2026-01-01 10:00:00,500 - app - ERROR - " + "y" * (parse.MAX_LINE_BYTES * 2)
    lines = [LINES[n * 7 % len(LINES)] for n in range(40_000)]
    path.write_text("\n".join([*lines[:100], long, *lines]) + "\n", encoding="utf-8")
    assert len(list(cut(path, DAY, 1 << 18))) > 4
    assert list(parse_with_spark(path, DAY, piece_bytes=1 << 18)) == alone(path)


def test_packed_logs_are_read_and_damaged_ones_told(spark: SparkSession, tmp_path: Path) -> None:
    """As without Spark."""
    path = tmp_path / "a.log.gz"
    packed = gzip.compress("\n".join(LINES * 50).encode())
    path.write_bytes(packed)
    assert list(read_log(path, DAY, "spark")) == alone(path)
    path.write_bytes(packed[:-20])
    for engine in ENGINES:
        with pytest.raises(TruncatedFileError, match="a.log.gz is cut or damaged"):
            list(read_log(path, DAY, engine))


@pytest.mark.one_server
def test_a_day_of_logs_has_the_same_rows(
    spark: SparkSession, postgresql: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `monitor_errors` stages of nine apps, each cut into many pieces."""
    monkeypatch.setattr("etl.logs.spark.parse_with_spark.__kwdefaults__", {"piece_bytes": 1_500})
    settings = LogSettings(str(tmp_path), "generator:200")
    for app in ALL_APPS:
        land_log(app, "2026-01-01", settings, None)
    create_tables(postgresql)
    staged = []
    for engine in ENGINES:
        lines = stage_logs("2026-01-01", settings, postgresql, engine)
        tables = ("log_staged", "log_staged_files")
        rows = [postgresql.execute(f"SELECT * FROM {table} ORDER BY app, {table}").fetchall() for table in tables]
        staged.append((lines, rows))
    assert staged[0] == staged[1]
    assert all(count >= 200 for count in staged[0][0].values())
