"""A PostgreSQL database as it is now: its rows in a canonical form, its structure, its large objects."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dagproof.stores.naming import names_whole
from dagproof.stores.stored import Table
from dagproof.stores.structure import Structure, structure

if TYPE_CHECKING:
    import psycopg

#: What large objects are called among tables.
LARGE_OBJECTS = "pg_largeobject"


@dataclass(frozen=True)
class Database:
    """The tables of a database, what is on them, and what was not looked into."""

    tables: dict[str, Table] = field(default_factory=dict)
    structure: Structure = field(default_factory=dict)
    uncompared: tuple[str, ...] = ()

    def named(self, prefix: str) -> Database:
        """Return it with names that begin with `prefix`."""
        if not prefix:
            return self
        return Database(
            {prefix + name: replace(table, name=prefix + name) for name, table in self.tables.items()},
            {prefix + owner: parts for owner, parts in self.structure.items()},
            tuple(f"{what} (of {prefix.removesuffix(':')})" for what in self.uncompared),
        )

    def __or__(self, other: Database) -> Database:
        """Return both in one."""
        return Database(
            {**self.tables, **other.tables},
            {**self.structure, **other.structure},
            self.uncompared + other.uncompared,
        )


_SETTINGS = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; \
SET extra_float_digits = 1; SET lock_timeout = '10s'; SET statement_timeout = 0; SET row_security = off"

_RELATIONS = """
SELECT c.oid, n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
       ARRAY(SELECT a.atttypid::regtype::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
       coalesce((SELECT ARRAY(SELECT a.attname::text
                              FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k(num, n)
                              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num ORDER BY k.n)
                 FROM pg_index i
                 WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
                 ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1), '{}'),
       c.relkind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'p') AND NOT c.relispartition OR c.relkind = 'm' AND c.relispopulated
       OR c.relkind IN ('f', 'v'))
  AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
ORDER BY n.nspname, c.relname
"""

#: The tables that a view reads, through other views too.
_READ_BY = """
WITH RECURSIVE reads(oid) AS (
  SELECT %s::oid
  UNION SELECT d.refobjid FROM reads
  JOIN pg_rewrite w ON w.ev_class = reads.oid
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
)
SELECT n.nspname, c.relname FROM reads JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
"""
#: What makes a view show other rows each time, or at another time.
_UNSTABLE_VIEW = re.compile(
    r"\b(now|random|nextval|timeofday|gen_random_uuid|\w+_timestamp)\(|\bCURRENT_|\bLOCALTIME|\bdagproof\."
)

_CANONICAL = {
    "json": "({0})::jsonb",
    "numeric": "trim_scale({0})",
    "real": "({0} + 0)",
    "double precision": "({0} + 0)",
    # numbers of large objects differ from server to server; what they hold does not
    "oid": "CASE WHEN EXISTS (SELECT FROM pg_largeobject_metadata m WHERE m.oid = {0}) "
    "THEN 'large object ' || encode(sha256(lo_get({0})), 'hex') ELSE ({0})::text END",
}
_LARGE_OBJECTS = "SELECT octet_length(lo_get(oid)), encode(sha256(lo_get(oid)), 'hex') FROM pg_largeobject_metadata"


def read_database(conninfo: str, run_is_over: bool, scratch: Collection[str]) -> Database:
    """Return what is in a database; of views, those over tables that are `scratch`.

    When the run is over, its sessions are waited for and then ended, so that what they did not commit is gone.
    """
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as connection:
        if run_is_over:
            _wait_for_others(connection)
        connection.execute(_SETTINGS)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        tables, uncompared = [], []
        for oid, schema, name, columns, types, key, kind in connection.execute(_RELATIONS).fetchall():
            if kind == "f":
                uncompared.append(f"rows of foreign table {_shown(schema, name)}")
            elif kind != "v":
                tables.append(_table(connection, schema, name, columns, types, key, kind == "m"))
            elif scratch and _reads_any(connection, oid, scratch):
                try:
                    with connection.transaction():
                        tables.append(_view(connection, oid, schema, name, columns, types))
                except (psycopg.Error, _UnstableViewError) as error:
                    why = str(error).strip().splitlines()[0]
                    uncompared.append(f"rows of view {_shown(schema, name)} ({why})")
        objects: list[Any] = []
        try:
            with connection.transaction():
                objects = connection.execute(_LARGE_OBJECTS).fetchall()
        except psycopg.Error as error:
            uncompared.append(f"large objects ({str(error).strip().splitlines()[0]})")
        parts = structure(connection)
    if objects:
        rows = tuple(sorted(f"{size}\t{digest}".encode() for size, digest in objects))
        tables.append(Table(LARGE_OBJECTS, ("bytes", "sha256"), (), rows))
    return Database({table.name: table for table in tables}, parts, tuple(uncompared))


class _UnstableViewError(Exception):
    """Two looks at a view need not show the same."""


def _reads_any(connection: psycopg.Connection[Any], view: int, scratch: Collection[str]) -> bool:
    """Tell whether a view reads a table that `scratch` names."""
    read = [_shown(*table) for table in connection.execute(_READ_BY, [view]).fetchall()]
    return any(names_whole(entry, table, "") for entry in scratch for table in read)


def _view(
    connection: psycopg.Connection[Any], oid: int, schema: str, name: str, columns: list[str], types: list[str]
) -> Table:
    row = connection.execute("SELECT pg_get_viewdef(%s::oid)", [oid]).fetchone()
    if row and _UNSTABLE_VIEW.search(row[0]):
        raise _UnstableViewError("they depend on the time at which it is read, or on chance")
    return _table(connection, schema, name, columns, types, [], False)


def _table(
    connection: psycopg.Connection[Any],
    schema: str,
    name: str,
    columns: list[str],
    types: list[str],
    key: list[str],
    is_derived: bool,
) -> Table:
    from psycopg import sql

    values = [
        sql.SQL(_CANONICAL.get(kind, "{0}")).format(sql.Identifier(column))
        for column, kind in zip(columns, types, strict=True)
    ]
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(
        sql.SQL(", ").join(values), sql.Identifier(schema, name)
    )
    with connection.cursor().copy(query) as copy:
        lines = b"".join(copy).split(b"\n")
    lines.pop()  # behind the last line's end
    return Table(_shown(schema, name), tuple(columns), tuple(key), tuple(sorted(lines)), is_derived)


def _shown(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"


def _wait_for_others(connection: psycopg.Connection[Any], seconds: float = 2.0) -> None:
    """Wait until the run's sessions are gone, and end those that are not: what they did not commit must not count."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
              AND backend_type = 'client backend'"
    deadline = time.monotonic() + seconds
    while connection.execute(f"SELECT count(*) {others}").fetchone() != (0,):
        if time.monotonic() > deadline:
            connection.execute(f"SELECT pg_terminate_backend(pid) {others}")
            deadline = time.monotonic() + seconds
        time.sleep(0.002)


def sequences(conninfo: str) -> list[tuple[object, ...]]:
    """Return how far each sequence of the database `conninfo` has come."""
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as connection:
        query = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"
        return connection.execute(query).fetchall()
