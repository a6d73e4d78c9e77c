"""Put a month into the archive, and compare what is there with the database."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any, BinaryIO

import psycopg

from etl.archive.export import exported
from etl.archive.manifest import Manifest, TableFile, check_files, digest, find_manifest, read_manifest, write_manifest
from etl.errors import ArchiveError, ChangedMeanwhileError
from etl.storage import Storage


def back_up(month: str, archive: Storage, connection: psycopg.Connection[Any]) -> Manifest:
    """Put the rows of a month into the archive, as they are at one moment; return its manifest.

    The manifest is the last that is written, when all files have been read back: a reader sees the month as it was
    before, or all of it anew. The same rows give the same bytes.

    Raises:
        ArchiveError: a table has lost all of its rows of the month, which the archive still has, or a file does not
            read back as it was written. The month is as it was before.
        StorageError: the archive does not answer.
    """
    before = find_manifest(month, archive)
    tables: dict[str, TableFile] = {}
    for table, rows, file in exported(month, connection):
        tables[table] = _described(table, rows, file)
        _upload(f"{month}/{tables[table].file}", tables[table], file, archive)
    _refuse_loss(tables, before)
    manifest = Manifest(month, tables)
    check_files(manifest, archive)
    if manifest != before:
        write_manifest(manifest, archive)
    return manifest


def verify(month: str, archive: Storage, connection: psycopg.Connection[Any]) -> Manifest:
    """Read an archived month back, and compare it with the database, row by row; return its manifest.

    Raises:
        MissingFileError: the month is not in the archive. ArchiveError: a file is missing or has changed.
        ChangedMeanwhileError: the database has other rows than the archive.
    """
    manifest = read_manifest(month, archive)
    check_files(manifest, archive)
    if differing := differences(manifest, connection):
        raise ChangedMeanwhileError(
            f"The rows of {month} in {', '.join(differing)} are not those in {archive.url}; they have changed since. "
            "Clear the whole run to archive them as they are now."
        )
    return manifest


def differences(manifest: Manifest, connection: psycopg.Connection[Any]) -> list[str]:
    """Return the tables whose rows of the month in the database are not those that were archived."""
    now = {table: _described(table, rows, file) for table, rows, file in exported(manifest.month, connection)}
    return sorted(table for table in {*now, *manifest.tables} if now.get(table) != manifest.tables.get(table))


def _described(table: str, rows: int, file: BinaryIO) -> TableFile:
    checksum = digest(file)
    return TableFile(rows, f"{table}-{checksum[:12]}.parquet", checksum)


def _refuse_loss(tables: Mapping[str, TableFile], before: Manifest | None) -> None:
    """Never replace rows by nothing: that would be the end of the only good copy."""
    lost = [table for table in before.tables if table not in tables] if before else []
    if before and lost:
        raise ArchiveError(
            f"{lost[0]} has no rows of {before.month} any more, and the archive has {before.tables[lost[0]].rows:,}; "
            "the archive stays as it is. Restore the month, or remove its manifest if the rows are meant to be gone."
        )


def _upload(name: str, table: TableFile, file: BinaryIO, archive: Storage) -> None:
    """Bring a file there, unless a run before has done so."""
    if archive.exists(name):
        with archive.reading(name) as there:
            if digest(there) == table.sha256:
                return
    file.seek(0)
    with archive.writing(name) as target:
        shutil.copyfileobj(file, target, 1 << 20)
