"""What a file says to those who read it, where the same may be said in other bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path

from dagproof.stores import archives, avro
from dagproof.stores.dbfiles import Content, tables_of
from dagproof.stores.duck import DUCKDB
from dagproof.stores.sqlite import SQLITE

_DATABASES = (SQLITE, DUCKDB)
#: So much of a file shows what it may be.
_START_BYTES = 512
#: What reading raises where a file only begins like what it seems to be.
ERRORS = archives.ERRORS


def tables(path: Path) -> list[Content] | None:
    """Return the tables of an SQLite or DuckDB database; None for any other file."""
    return tables_of(path, _DATABASES)


def is_part_of_another(path: Path) -> bool:
    """Tell whether a file lies beside a database, and belongs to it."""
    return any(kind.has_part(path) for kind in _DATABASES)


def readings(path: Path) -> Iterator[Callable[[], BufferedIOBase]]:
    """Yield the ways to read a file: the last one is that of its bytes; others may fail with :data:`ERRORS`.

    An archive is what its members are, and what gzip has compressed is what it was before: both write the time down.
    Avro has random marks in it.
    """
    with path.open("rb") as stream:
        start = stream.read(_START_BYTES)
    if archives.begins_like_zip(start):
        yield lambda: archives.zip_stream(path)
    if archives.may_be_tar(start) and archives.is_tar(path):
        yield lambda: archives.tar_stream(path)
    if archives.begins_like_gzip(start):
        yield lambda: gzip.open(path)  # noqa: SIM115 - whoever calls it closes it
    if avro.begins_like_avro(start):
        yield lambda: avro.avro_stream(path)
    yield lambda: path.open("rb")
