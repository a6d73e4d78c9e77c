"""Validate a week's files where they come from, land them, and load them into the raw tables."""

from __future__ import annotations

import contextlib
import datetime
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from etl.arrow import text_array
from etl.errors import PermanentError
from etl.load import BATCH_ROWS, load_partition
from etl.paths import check_date
from etl.weekly.files import TABLES, Checked, check_file, land, raw_file, source
from etl.weekly.settings import WeekSettings

NEEDED = (*(f"raw_{table}" for table in TABLES), *TABLES, "raw_rejected", "shop_rejected")
"""The tables that the pipeline works on."""


class MissingTableError(PermanentError):
    """A table of the shop is not there."""


def validate_week(ds: str, settings: WeekSettings, connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Look whether the tables are there, and the week's files are there and whole; nothing is written.

    Returns:
        How many rows each file has.

    Raises:
        MissingTableError: names the tables.
        SourceUnavailableError, MissingFileError: the source does not have a file (yet), or does not answer.
        InputError: a file is bad as a whole.
    """
    query = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL ORDER BY name"
    missing = [name for (name,) in connection.execute(query, [list(NEEDED)])]
    if missing:
        raise MissingTableError(f"There is no table {', '.join(missing)}; etl/sql/shop.sql makes the shop's tables.")
    rows = {}
    for table in TABLES:
        with source(table, check_date(ds), settings) as file:
            rows[table] = sum(1 for _ in check_file(file, table, f"{ds}/{table}.csv", settings.max_text))
    return rows


def ingest_week(ds: str, settings: WeekSettings, connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Land the week's files, and make their rows the week's in the raw tables, in one transaction. Memory stays flat.

    Returns:
        How many rows were loaded into each raw table, and into `raw_rejected`.

    Raises:
        SourceUnavailableError, MissingFileError: the source does not have a file (yet), does not answer, or broke off.
        StorageError: a file cannot be landed.
        InputError: a file is bad as a whole. The tables are as they were before.
    """
    day = datetime.date.fromisoformat(check_date(ds))
    names = {table: land(table, ds, settings) for table in TABLES}
    loaded: dict[str, int] = {}
    with contextlib.ExitStack() as stack:
        paths = {table: stack.enter_context(settings.files.local(name)) for table, name in names.items()}
        stack.enter_context(connection.transaction())
        for table, path in paths.items():
            rows = _good(table, ds, path, settings)
            loaded[f"raw_{table}"] = load_partition(connection, f"raw_{table}", column="dt", value=day, rows=rows)
        rows = itertools.chain.from_iterable(_bad(table, ds, path, settings) for table, path in paths.items())
        loaded["raw_rejected"] = load_partition(connection, "raw_rejected", column="dt", value=day, rows=rows)
        # What follows joins these rows: a plan that takes the tables for empty would take minutes.
        connection.execute("ANALYZE raw_customers, raw_products, raw_orders")
    return loaded


def columns(names: list[str], prefix: str = "") -> sql.Composed:
    """Return names as a list of SQL's, each of the table `prefix` where that is given."""
    return sql.SQL(", ").join(sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in names)


def _good(table: str, ds: str, path: Path, settings: WeekSettings) -> Iterator[pa.RecordBatch]:
    rows = ((*row.values, str(row.record.line)) for row in _checked(table, ds, path, settings) if row.problem is None)
    return _batches(rows, [*TABLES[table], "line"])


def _bad(table: str, ds: str, path: Path, settings: WeekSettings) -> Iterator[pa.RecordBatch]:
    rows = (
        (
            table,
            str(row.record.line),
            *(text.replace("\0", "\N{SYMBOL FOR NULL}") for text in (row.problem, row.record.raw)),
        )
        for row in _checked(table, ds, path, settings)
        if row.problem is not None
    )
    return _batches(rows, ["table_name", "line", "reason", "raw"])


def _checked(table: str, ds: str, path: Path, settings: WeekSettings) -> Iterator[Checked]:
    with path.open("rb") as file:
        yield from check_file(file, table, raw_file(table, ds), settings.max_text)


def _batches(rows: Iterator[tuple[str | None, ...]], names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield rows of text, which COPY reads as whatever type a column has."""
    while block := list(itertools.islice(rows, BATCH_ROWS)):
        yield pa.record_batch([text_array(column) for column in zip(*block, strict=True)], names=names)
