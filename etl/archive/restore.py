"""Bring an archived month back: ``restore("2026-01", archive, connection)``."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any, BinaryIO

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from psycopg import sql

from etl.archive.manifest import TABLES, Manifest, TableFile, digest, month_bounds, read_manifest
from etl.errors import ArchiveError, LoadError
from etl.storage import Storage, copy

_CSV = pa_csv.WriteOptions(include_header=False)


def restore(month: str, archive: Storage, connection: psycopg.Connection[Any]) -> Manifest:
    """Make the rows of an archived month those of the database, in one transaction; return the month's manifest.

    Rows of other months stay. Each file is compared with its checksum before any row changes.

    Raises:
        MissingFileError: the month is not in the archive. ArchiveError: a file is missing or has changed, or does not
            hold what the manifest says: rows of the month, and so many.
        LoadError: the database refuses the rows. It is as it was before.
    """
    manifest = read_manifest(month, archive)
    with ExitStack() as stack:
        files = {
            table: _fetched(entry, f"{month}/{entry.file}", archive, stack.enter_context(tempfile.TemporaryFile()))
            for table, entry in manifest.tables.items()
        }
        try:
            with connection.transaction():
                for table in TABLES:
                    rows = _replace(table, month, files.get(table), connection)
                    if table in files and rows != manifest.tables[table].rows:
                        raise ArchiveError(
                            f"The file of {table} has {rows:,} rows, and the manifest of {month} says "
                            f"{manifest.tables[table].rows:,}; nothing was restored."
                        )
        except pa.ArrowException as error:
            raise ArchiveError(f"A file of {month} is no Parquet file: {error}. Nothing was restored.") from None
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            raise LoadError(f"{month} cannot be restored: {error.diag.message_primary or error}.") from error
    return manifest


def _fetched(entry: TableFile, name: str, archive: Storage, file: BinaryIO) -> BinaryIO:
    """Copy an archived file into an empty one of ours, and return this if it is what it was."""
    copy(archive, name, file)
    file.seek(0)
    if digest(file) != entry.sha256:
        raise ArchiveError(f"{archive.shown(name)} is not what was archived; nothing was restored.")
    return file


def _replace(table: str, month: str, file: BinaryIO | None, connection: psycopg.Connection[Any]) -> int:
    """Replace a table's rows of a month by those of a file; return how many these are."""
    first, end = map(sql.Literal, month_bounds(month))
    connection.execute(sql.SQL("DELETE FROM {} WHERE dt >= {} AND dt < {}").format(sql.Identifier(table), first, end))
    if file is None:
        return 0
    rows = 0
    with pq.ParquetFile(file) as parquet:
        names = sql.SQL(", ").join(map(sql.Identifier, parquet.schema_arrow.names))
        query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')").format(sql.Identifier(table), names)
        with connection.cursor() as cursor, cursor.copy(query) as target:
            for batch in parquet.iter_batches():
                _check_days(table, month, batch)
                rows += batch.num_rows
                sink = pa.BufferOutputStream()
                pa_csv.write_csv(batch, sink, _CSV)
                target.write(memoryview(sink.getvalue()))
    return rows


def _check_days(table: str, month: str, batch: pa.RecordBatch) -> None:
    """Refuse rows of another month, which would be added to those that are there, and again each time."""
    first, end = month_bounds(month)
    index = batch.schema.get_field_index("dt")
    days = batch.column(index) if index >= 0 else None
    if days is None or days.type != pa.date32() or days.null_count:
        raise ArchiveError(f"The file of {table} has rows without a day; nothing was restored.")
    bounds = pc.min_max(days).as_py()
    if batch.num_rows and not first <= bounds["min"] <= bounds["max"] < end:
        raise ArchiveError(f"The file of {table} has rows of another month than {month}; nothing was restored.")
