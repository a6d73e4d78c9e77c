"""The file of a metadata database (SQLite), and what lies beside it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from dagproof.errors import WorkerError


def replace_metadata(source: Path, path: Path) -> None:
    """Make `path` a copy of the database `source`, which nobody has open.

    A run that was killed leaves its write-ahead log behind, which SQLite would apply to the copy and so destroy it.
    The log of the source holds what was committed last, so it comes along.
    """
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(source, path)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(source.with_name(source.name + "-wal"), path.with_name(path.name + "-wal"))


def variables_in(path: Path) -> list[tuple[str, str]]:
    """Return Airflow's variables in the database, each with its value.

    Raises:
        WorkerError: a run has spoilt it, by writing to a descriptor that it did not open, say.
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT key, val FROM variable ORDER BY key").fetchall()
    except sqlite3.DatabaseError as error:
        raise WorkerError(
            f"the run corrupted Airflow's metadata database ({error}); tasks must not write to it"
        ) from None
