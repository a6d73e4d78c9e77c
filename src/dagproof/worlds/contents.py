"""What a file says to those who read it, where the same may be said in other bytes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path

from dagproof.worlds.dbfiles import Content, tables_of
from dagproof.worlds.duck import DUCKDB
from dagproof.worlds.sqlite import SQLITE

_GZIP = b"\x1f\x8b\x08"
_DATABASES = (SQLITE, DUCKDB)
#: What reading raises where a file only begins like what it seems to be.
ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)


def tables(path: Path) -> list[Content] | None:
    """Return the tables of an SQLite or DuckDB database; None for any other file."""
    return tables_of(path, _DATABASES)


def is_part_of_another(path: Path) -> bool:
    """Tell whether a file lies beside a database, and belongs to it."""
    return any(kind.has_part(path) for kind in _DATABASES)


def readings(path: Path) -> Iterator[Callable[[], BufferedIOBase]]:
    """Yield the ways to read a file: the last one is that of its bytes; others may fail with :data:`ERRORS`.

    What gzip has compressed is what it was before: gzip writes the time down, too.
    """
    with path.open("rb") as stream:
        if stream.read(len(_GZIP)) == _GZIP:
            yield lambda: gzip.open(path)  # noqa: SIM115 - whoever calls it closes it
    yield lambda: path.open("rb")
