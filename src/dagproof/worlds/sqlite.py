"""SQLite databases among a world's files: their tables and rows, whatever their bytes are."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from dagproof.worlds.dbfiles import DEFINITIONS, Content, Kind, quoted

_TABLES = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name"
_DEFINITIONS = "SELECT type, name, sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL"


def _read(path: Path) -> Iterator[Content]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")
        for (name,) in connection.execute(_TABLES).fetchall():
            about = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
            key = [column for column in sorted(about, key=lambda column: column[5]) if column[5]]
            rows = connection.execute(f"SELECT * FROM {quoted(name)}").fetchall()  # noqa: S608 - quoted
            yield Content(name, tuple(c[1] for c in about), tuple(c[1] for c in key), rows)
        if definitions := connection.execute(_DEFINITIONS).fetchall():
            yield Content(DEFINITIONS, ("kind", "name", "definition"), ("kind", "name"), definitions)


SQLITE = Kind(
    magic=b"SQLite format 3\0", at=0, parts=("-wal", "-journal"), others=("-shm",), read=_read, error=sqlite3.Error
)
