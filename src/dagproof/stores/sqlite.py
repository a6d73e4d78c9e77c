"""SQLite databases among a world's files: their tables and rows, whatever their bytes are."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from dagproof.stores.dbfiles import DEFINITIONS, Content, Kind, beyond_rows, quoted

_TABLES = (
    r"SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name"
)
#: Where a virtual table, such as a full-text index, keeps what it is made of: the same rows may be kept in other ways.
_SHADOWS = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
_DEFINITIONS = "SELECT type, name, sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL"


def _read(path: Path) -> Iterator[Content]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")
        definitions = connection.execute(_DEFINITIONS).fetchall()
        shadows: set[str] = set()
        with contextlib.suppress(sqlite3.OperationalError):  # before SQLite 3.37, nobody tells them apart
            shadows = {name for (name,) in connection.execute(_SHADOWS).fetchall()}
        for name, definition in connection.execute(_TABLES).fetchall():
            if name in shadows:
                continue
            if beyond := beyond_rows(definition):
                definitions.append(("table", name, beyond))
            about = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
            key = [column for column in sorted(about, key=lambda column: column[5]) if column[5]]
            rows = connection.execute(f"SELECT * FROM {quoted(name)}")  # noqa: S608 - quoted
            columns = tuple(column[0] for column in rows.description)  # also those that are computed
            yield Content(name, columns, tuple(c[1] for c in key), rows.fetchall())
        if (version := connection.execute("PRAGMA user_version").fetchone()) != (0,):
            definitions.append(("pragma", "user_version", str(version[0])))
        if definitions:
            yield Content(DEFINITIONS, ("kind", "name", "definition"), ("kind", "name"), definitions)


SQLITE = Kind(
    magic=b"SQLite format 3\0", at=0, parts=("-wal", "-journal"), others=("-shm",), read=_read, error=sqlite3.Error
)
