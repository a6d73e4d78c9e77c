"""Replace one partition of any table by rows that stream into it with COPY."""

from __future__ import annotations

import datetime
import decimal
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.rows import tuple_row

from etl.arrow import text_array
from etl.errors import DuplicateKeyError, LoadError

if TYPE_CHECKING:
    import pandas as pd

Rows: TypeAlias = "pd.DataFrame | pa.Table | pa.RecordBatchReader | Iterable[pa.RecordBatch] | Path"
PartitionValue: TypeAlias = "str | int | bool | decimal.Decimal | datetime.date"

BATCH_ROWS = 1 << 14

_CSV = pa_csv.WriteOptions(include_header=False, batch_size=BATCH_ROWS)


def load_partition(
    connection: psycopg.Connection[Any], table: str | tuple[str, str], *, column: str, value: PartitionValue, rows: Rows
) -> int:
    """Make `rows` the content of one partition: delete what is there and COPY, in one transaction.

    A reader sees the old rows or the new ones, never a mix or none; so it is after
    a crash at any point. Loads of the same partition take turns. Memory stays flat:
    at most 16,384 rows are copied at a time.

    Args:
        connection: A psycopg 3 connection in isolation level READ COMMITTED. Inside an open transaction
            the load becomes part of it.
        table: The table's name, or its schema and name. Taken literally: case, dots and quotes belong to the name.
        column: The column that partitions the table.
        value: The partition, not None. All rows must have it; rows without the column get it.
        rows: A DataFrame, record batches, a table, or the path of a Parquet file; columns are matched by name,
            and columns of the table that the rows do not have get their default.

    Returns:
        The number of rows loaded.

    Raises:
        DuplicateKeyError: two rows have the same key; says which.
        TypeError: the connection is not one of psycopg 3.
        LoadError: the table or a column does not exist, a row belongs to another partition, or the database
            refused a value. The partition is as it was before.
        psycopg.OperationalError: the connection broke; another attempt is safe whether this one was committed or not.
    """
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"The loader needs a connection of psycopg 3, not {type(connection)!r}.")
    load = _Load(connection, (table,) if isinstance(table, str) else table, column, value)
    try:
        with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
            return load.run(cursor, record_batches(rows))
    except psycopg.errors.UniqueViolation as error:
        raise DuplicateKeyError(f"{load} was refused: {_detail(error)} The partition is as it was before.") from error
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise LoadError(f"{load} was refused: {_detail(error)} The partition is as it was before.") from error


def record_batches(rows: Rows) -> Iterator[pa.RecordBatch]:
    """Yield any kind of rows as record batches, one at a time; a DataFrame's index is left out."""
    if isinstance(rows, Path):
        with pq.ParquetFile(rows) as file:
            yield from file.iter_batches(BATCH_ROWS)
    elif isinstance(rows, pa.Table):
        yield from rows.to_batches(BATCH_ROWS)
    elif hasattr(rows, "iloc"):  # a DataFrame, told by its looks: pandas is slow to import
        yield from _frame_batches(cast("pd.DataFrame", rows))
    else:
        yield from rows


def _frame_batches(frame: pd.DataFrame) -> Iterator[pa.RecordBatch]:
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    for start in range(0, len(frame), BATCH_ROWS):
        yield pa.RecordBatch.from_pandas(frame.iloc[start : start + BATCH_ROWS], schema, preserve_index=False)


class _Load:
    """One load: where it goes, and what the table is like there."""

    def __init__(
        self, connection: psycopg.Connection[Any], table: tuple[str, ...], column: str, value: PartitionValue
    ) -> None:
        if value is None:
            raise ValueError("A partition's value must not be None: NULL equals nothing, so nothing would be replaced.")
        self._connection = connection
        self._name = ".".join(table)
        self._table = sql.Identifier(*table)
        self._column = column
        self._value = value

    def __str__(self) -> str:
        return f"The load of {self._name} where {self._column} = {self._value}"

    def run(self, cursor: psycopg.Cursor[tuple[Any, ...]], batches: Iterator[pa.RecordBatch]) -> int:
        types = self._lock(cursor)
        # A literal and no parameter: a percent sign in an identifier would count as a placeholder.
        delete = sql.SQL("DELETE FROM {} WHERE {} = {}")
        cursor.execute(delete.format(self._table, sql.Identifier(self._column), sql.Literal(self._value)))
        first = next(batches, None)
        if first is None:
            return 0
        names = self._target_columns(first, types)
        loaded = 0
        with cursor.copy(self._copy_statement(names)) as copy:
            for batch in itertools.chain([first], batches):
                copy.write(_csv([self._values(batch, name, types[name]) for name in names], names))
                loaded += batch.num_rows
        return loaded

    def _lock(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> dict[str, str]:
        """Let no other load into this partition until the transaction ends; return the table's column types.

        Without the lock, two first loads at once would both delete nothing and both insert.
        """
        found = cursor.execute("SELECT to_regclass(%s)::oid", [self._table.as_string(self._connection)]).fetchone()
        if found is None or found[0] is None:
            raise LoadError(f"{self} has no target: there is no such table; etl/sql/schema.sql makes those of users.")
        key = f"{found[0]}/{self._column}/{self._value}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        cursor.execute(
            "SELECT attname, atttypid::regtype::text FROM pg_attribute "
            "WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped",
            [found[0]],
        )
        return dict(cursor.fetchall())

    def _target_columns(self, batch: pa.RecordBatch, types: dict[str, str]) -> list[str]:
        names = list(dict.fromkeys([*batch.schema.names, self._column]))
        unknown = [name for name in names if name not in types]
        if unknown:
            raise LoadError(
                f"{self} was refused: the table has no column {unknown[0]!r}; it has {', '.join(map(repr, types))}."
            )
        if len(set(batch.schema.names)) != batch.num_columns:
            raise LoadError(f"{self} was refused: the rows have two columns of one name.")
        return names

    def _copy_statement(self, names: list[str]) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')").format(self._table, columns)

    def _values(self, batch: pa.RecordBatch, name: str, target: str) -> pa.Array:
        """Return a column as COPY of CSV reads it."""
        index = batch.schema.get_field_index(name)
        if index < 0:
            if name != self._column:
                raise LoadError(f"{self} was refused: a later batch of rows lacks the column {name!r}.")
            return text_array([str(self._value)] * batch.num_rows)
        values = batch.column(index)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if name == self._column:
            self._check_partition(values)
        try:
            return _for_csv(values, target)
        except pa.ArrowInvalid as error:
            raise LoadError(f"{self} was refused: column {name!r} does not fit {target}: {error}.") from error

    def _check_partition(self, values: pa.Array) -> None:
        """Rows of another partition would be added there, and added again by each rerun."""
        if any(other != self._value and str(other) != str(self._value) for other in pc.unique(values).to_pylist()):
            raise LoadError(f"{self} was refused: some of the rows have another {self._column}.")


def _for_csv(values: pa.Array, target: str) -> pa.Array:
    if target in ("smallint", "integer", "bigint") and pa.types.is_floating(values.type):
        return values.cast(pa.int64())  # pandas turns integers with gaps into floats; a fraction is refused
    if _is_binary(values.type):
        return pa.array([None if v is None else "\\x" + v.hex() for v in values.to_pylist()], pa.string())
    if pa.types.is_nested(values.type):
        raise pa.ArrowInvalid(f"a value of type {values.type} has no CSV form; turn it into text first")
    return values


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _csv(columns: list[pa.Array], names: list[str]) -> memoryview:
    """Return rows as CSV in which a missing value is nothing and an empty string is two quotes."""
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(pa.record_batch(columns, names), sink, _CSV)
    return memoryview(sink.getvalue())


def _detail(error: psycopg.Error) -> str:
    """Return the database's own words as one sentence."""
    text = error.diag.message_detail or error.diag.message_primary or str(error)
    return text.strip().rstrip(".") + "."
