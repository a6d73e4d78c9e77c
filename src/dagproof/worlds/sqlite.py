"""SQLite databases among a world's files: what they hold, whatever their bytes are."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

_MAGIC = b"SQLite format 3\0"
#: What lies beside a database while it is written, or after a crash: a part of it, which the next reader takes in.
_BESIDE = ("-journal", "-wal", "-shm")


def is_database(path: Path) -> bool:
    """Tell whether a file is an SQLite database."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def is_part_of_one(path: Path) -> bool:
    """Tell whether a file belongs to a database beside it."""
    suffix = next((suffix for suffix in _BESIDE if path.name.endswith(suffix)), None)
    if suffix is None:
        return False
    database = path.with_name(path.name.removesuffix(suffix))
    return database.is_file() and is_database(database)


def dump(path: Path) -> bytes | None:
    """Return the SQL statements that make the database, sorted: those of its tables, and one for each row.

    The same rows in another order, or written a second time, are other bytes on the disk, and the same statements.
    How far a sequence has come is left out. None is returned for what SQLite cannot read.
    """
    with tempfile.TemporaryDirectory() as folder:  # reading what a crash has left would change it
        copy = Path(folder, path.name)
        for suffix in ("", *_BESIDE[:2]):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
        try:
            with contextlib.closing(sqlite3.connect(copy)) as connection:
                connection.text_factory = lambda text: text.decode(errors="surrogateescape")
                statements = sorted(line for line in connection.iterdump() if '"sqlite_sequence"' not in line[:40])
        except sqlite3.Error:
            return None
    return "\n".join(statements).encode(errors="surrogateescape")
