"""What a file says to those who read it, where the same may be said in other bytes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase, BytesIO
from pathlib import Path

from dagproof.worlds import duck, sqlite

_GZIP = b"\x1f\x8b\x08"
#: What reading raises where a file only begins like what it seems to be.
ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)


def readings(path: Path) -> Iterator[Callable[[], BufferedIOBase]]:
    """Yield the ways to read a file: the last one is that of its bytes; others may fail with :data:`ERRORS`.

    A database is its rows, and what gzip has compressed is what it was before: gzip writes the time down, too.
    """
    for database in (sqlite, duck):
        if database.is_database(path) and (rows := database.dump(path)) is not None:
            yield lambda rows=rows: BytesIO(rows)  # type: ignore[misc]  # mypy does not infer a default's type
    with path.open("rb") as stream:
        if stream.read(len(_GZIP)) == _GZIP:
            yield lambda: gzip.open(path)  # noqa: SIM115 - whoever calls it closes it
    yield lambda: path.open("rb")


def is_part_of_another(path: Path) -> bool:
    """Tell whether a file lies beside a database, and belongs to it."""
    return sqlite.is_part_of_one(path) or duck.is_part_of_one(path)
