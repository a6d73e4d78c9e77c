"""A table's rows of a month as Parquet: the same bytes for the same rows, and nothing lost on the way.

Numbers and dates have types of their own, but for columns in which one has none (an infinite date, a numeric without
a scale); these, and all else, are text as PostgreSQL writes it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from etl.archive.manifest import TABLES, month_bounds
from etl.arrow import text_array
from etl.errors import LoadError

_ROWS = 1 << 14
_KINDS = {"smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "date": pa.date32()}


_ONE_MOMENT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL TimeZone = 'UTC'; "
    "SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; "
    "SET LOCAL extra_float_digits = 1"
)
"""All tables as they are now, and values written in one way, whatever the server is told."""


class _NoTypeError(Exception):
    """A column has a value that its Arrow type has not."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def exported(month: str, connection: psycopg.Connection[Any]) -> Iterator[tuple[str, int, BinaryIO]]:
    """Yield each table that has rows of a month, with their number and a Parquet file of them, in use until the next.

    All tables are seen at one moment. Memory stays flat: 16,384 rows are held at a time.

    Raises:
        LoadError: a table does not exist.
    """
    with connection.transaction():
        connection.execute(_ONE_MOMENT)
        columns = _columns(connection)
        for table in _with_rows(month, connection):
            with tempfile.TemporaryFile() as file:
                rows = _export(table, columns[table], month, file, connection)
                file.seek(0)
                yield table, rows, file


def _columns(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """Return the columns of each archived table, with their types in PostgreSQL's words."""
    query = (
        "SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class ON attrelid = "
        "pg_class.oid WHERE pg_class.oid = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name) "
        "AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(query, [list(TABLES)]).fetchall():
        found.setdefault(table, {})[column] = kind
    if missing := [table for table in TABLES if table not in found]:
        raise LoadError(f"There is no table {', '.join(missing)}; the files in etl/sql make what is missing.")
    return found


def _with_rows(month: str, connection: psycopg.Connection[Any]) -> list[str]:
    first, end = map(sql.Literal, month_bounds(month))
    look = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {} WHERE dt >= {} AND dt < {})")
    looks = [look.format(sql.Literal(table), sql.Identifier(table), first, end) for table in TABLES]
    return [str(table) for (table,) in connection.execute(sql.SQL(" UNION ALL ").join(looks)).fetchall()]


def _export(
    table: str, columns: dict[str, str], month: str, file: BinaryIO, connection: psycopg.Connection[Any]
) -> int:
    """Write a table's rows of a month as Parquet; return how many there are."""
    kinds = {column: _kind(kind) for column, kind in columns.items()}
    while True:
        file.seek(0)
        file.truncate()
        try:
            with connection.cursor() as cursor, cursor.copy(_query(table, list(kinds), month)) as copy:
                rows = copy.rows()
                try:
                    return _write(rows, kinds, file)
                except _NoTypeError:
                    for _ in rows:  # to the end: breaking off would end the transaction
                        pass
                    raise
        except _NoTypeError as error:
            kinds[error.column] = pa.string()


def _write(rows: Iterator[tuple[Any, ...]], kinds: dict[str, pa.DataType], file: BinaryIO) -> int:
    written = 0
    with pq.ParquetWriter(file, pa.schema(list(kinds.items())), compression="zstd") as writer:
        for batch in _batches(rows, kinds):
            writer.write_batch(batch)
            written += batch.num_rows
    return written


def _query(table: str, columns: Sequence[str], month: str) -> sql.Composed:
    """Each value as text, in an order that follows from the rows alone."""
    first, end = month_bounds(month)
    texts = sql.SQL(", ").join(
        sql.SQL('{0}::text COLLATE "C" AS {0}').format(sql.Identifier(column)) for column in columns
    )
    order = sql.SQL(", ").join(map(sql.Identifier, ["dt", *(column for column in columns if column != "dt")]))
    return sql.SQL(
        "COPY (SELECT * FROM (SELECT {} FROM {} WHERE dt >= {} AND dt < {}) AS texts ORDER BY {}) TO STDOUT"
    ).format(texts, sql.Identifier(table), sql.Literal(first), sql.Literal(end), order)


def _batches(rows: Iterator[tuple[Any, ...]], kinds: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    held: list[tuple[Any, ...]] = []
    for row in rows:
        held.append(row)
        if len(held) == _ROWS:
            yield _batch(held, kinds)
            held.clear()
    if held:
        yield _batch(held, kinds)


def _batch(rows: list[tuple[Any, ...]], kinds: dict[str, pa.DataType]) -> pa.RecordBatch:
    arrays = []
    for values, (column, kind) in zip(zip(*rows, strict=True), kinds.items(), strict=True):
        try:
            arrays.append(text_array(values).cast(kind))
        except pa.ArrowInvalid:
            raise _NoTypeError(column) from None
    return pa.record_batch(arrays, names=list(kinds))


def _kind(kind: str) -> pa.DataType:
    """Return the Arrow type for one of PostgreSQL's."""
    decimal = re.fullmatch(r"numeric\((\d+),(\d+)\)", kind)
    if decimal and int(decimal[1]) <= 38:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _KINDS.get(kind, pa.string())
