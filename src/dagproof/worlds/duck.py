"""DuckDB databases among a world's files: what they hold, whatever their bytes are."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from types import ModuleType

_MAGIC = b"DUCK"
_MAGIC_AT = 8
_LOG = ".wal"  # what lies beside a database while it is written, or after a crash: a part of it

_RELATIONS = """
SELECT schema_name, table_name, sql, true FROM duckdb_tables() WHERE NOT internal AND NOT temporary
UNION ALL
SELECT schema_name, view_name, sql, false FROM duckdb_views() WHERE NOT internal AND NOT temporary
"""


def is_database(path: Path) -> bool:
    """Tell whether a file is a DuckDB database."""
    with path.open("rb") as stream:
        return stream.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:] == _MAGIC


def is_part_of_one(path: Path) -> bool:
    """Tell whether a file belongs to a database beside it."""
    if not path.name.endswith(_LOG):
        return False
    database = path.with_name(path.name.removesuffix(_LOG))
    return database.is_file() and is_database(database)


def dump(path: Path) -> bytes | None:
    """Return a line for each table, each view and each row of the database, sorted.

    None is returned for what DuckDB cannot read, and where it is not installed.
    """
    duckdb = _duckdb()
    if duckdb is None:
        return None
    with tempfile.TemporaryDirectory() as folder:  # reading what a crash has left would change it
        copy = Path(folder, path.name)
        for suffix in ("", _LOG):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
        try:
            with contextlib.closing(duckdb.connect(str(copy))) as connection:
                lines = []
                for schema, name, sql, has_rows in connection.execute(_RELATIONS).fetchall():
                    lines.append(" ".join(sql.split()))
                    table = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))
                    rows = connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {table}") if has_rows else None  # noqa: S608 - quoted
                    lines += [f"{table} {row!r}" for row in rows.fetchall()] if rows else []
        except duckdb.Error:
            return None
    return "\n".join(sorted(lines)).encode(errors="surrogateescape")


def _duckdb() -> ModuleType | None:
    try:
        import duckdb
    except ImportError:
        return None
    return duckdb
