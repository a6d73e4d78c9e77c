"""DuckDB databases among a world's files: their tables and rows, whatever their bytes are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dagproof.stores.dbfiles import DEFINITIONS, Content, Kind, UnreadableError, beyond_rows, quoted

_TABLES = """
SELECT t.schema_name, t.table_name,
       (SELECT list(column_name ORDER BY column_index) FROM duckdb_columns() c WHERE c.table_oid = t.table_oid),
       (SELECT first(constraint_column_names) FROM duckdb_constraints() k
        WHERE k.table_oid = t.table_oid AND constraint_type = 'PRIMARY KEY'),
       t.sql
FROM duckdb_tables() t WHERE NOT t.internal AND NOT t.temporary ORDER BY ALL
"""
_DEFINITIONS = """
SELECT 'view', schema_name || '.' || view_name, sql FROM duckdb_views() WHERE NOT internal AND NOT temporary
UNION ALL SELECT 'index', schema_name || '.' || index_name, sql FROM duckdb_indexes() WHERE sql IS NOT NULL
UNION ALL SELECT 'macro', schema_name || '.' || function_name, macro_definition FROM duckdb_functions()
WHERE NOT internal AND macro_definition IS NOT NULL
UNION ALL SELECT 'type', schema_name || '.' || type_name, labels::VARCHAR FROM duckdb_types()
WHERE NOT internal AND logical_type = 'ENUM'
"""


def _read(path: Path) -> Iterator[Content]:
    try:
        import duckdb
    except ImportError as error:
        raise UnreadableError from error
    try:
        with contextlib.closing(duckdb.connect(str(path))) as connection:
            definitions = connection.execute(_DEFINITIONS).fetchall()
            for schema, name, columns, key, definition in connection.execute(_TABLES).fetchall():
                query = f"SELECT COLUMNS(*)::VARCHAR FROM {quoted(schema)}.{quoted(name)}"  # noqa: S608 - quoted
                shown = name if schema == "main" else f"{schema}.{name}"
                if beyond := beyond_rows(definition or ""):
                    definitions.append(("table", shown, beyond))
                yield Content(shown, tuple(columns), tuple(key or ()), connection.execute(query).fetchall())
            if definitions:
                yield Content(DEFINITIONS, ("kind", "name", "definition"), ("kind", "name"), definitions)
    except duckdb.Error as error:
        raise UnreadableError from error


DUCKDB = Kind(magic=b"DUCK", at=8, parts=(".wal",), others=(), read=_read, error=UnreadableError)
