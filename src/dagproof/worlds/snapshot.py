"""Snapshots: the content of all stores of a world, every table and every file, without any being declared."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import pickle
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagproof.worlds import contents
from dagproof.worlds.naming import file_matches, ignored_columns, names_whole, spellings
from dagproof.worlds.structure import Structure, structure, without_names

if TYPE_CHECKING:
    import psycopg

#: Files up to this size are kept whole, so that a diff can show the first differing line.
KEPT_BYTES = 4 * 2**20
CHUNK_BYTES = 64 * 2**10
HOME = "~/"
"""How the name of a file below the home folder begins."""
#: What programs keep at home for themselves: caches, histories, and the number by which dbt counts its users.
HOME_SCRATCH = (".cache", ".config/matplotlib", ".*_history", ".dbt/.user.yml", ".ivy2", ".java", ".aws/*/cache")

Row = tuple[bytes, ...]

#: What large objects are called among tables.
LARGE_OBJECTS = "pg_largeobject"
#: How the structure of a table is named among columns that differ.
STRUCTURE_OF = "structure of "


@dataclass(frozen=True)
class Table:
    r"""A table's content.

    `rows` are lines of PostgreSQL's COPY text format, sorted, each value in a canonical form: JSON as jsonb, numeric
    without trailing zeros, timestamps in UTC, floats in their shortest exact form, NULL as ``\\N``.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: tuple[bytes, ...]
    is_derived: bool = False
    """Whether it is a materialized view: its rows are computed from those of others."""
    path: str = ""
    """The file it is in, where that is an SQLite or DuckDB database; its name is then ``path:name``."""

    def without(self, columns: frozenset[str]) -> Table:
        """Return the table as if `columns` did not exist."""
        dropped = columns & set(self.columns)
        if not dropped:
            return self
        kept = [i for i, column in enumerate(self.columns) if column not in dropped]
        rows = sorted(b"\t".join([fields[i] for i in kept]) for fields in (row.split(b"\t") for row in self.rows))
        key = () if dropped & set(self.key) else self.key
        return Table(self.name, tuple(self.columns[i] for i in kept), key, tuple(rows), self.is_derived, self.path)


@dataclass(frozen=True)
class File:
    """A file's content: all of it when it is small, and a hash of each 64 KiB in any case.

    Of what gzip has compressed, it is that which was compressed.
    """

    path: str
    size: int
    chunks: tuple[bytes, ...]
    content: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Snapshot:
    """All tables and all files at one moment, and what a database has besides rows: indexes, views, functions."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    structure: Structure = field(default_factory=dict)
    uncompared: tuple[str, ...] = ()
    """What is there and was not looked into: ``rows of foreign table prices``."""

    def without(self, ignore: frozenset[str]) -> Snapshot:
        """Return the snapshot without what `ignore` names.

        That is ``table.column``, ``table.*``, ``structure of table``, and patterns of file paths.
        """
        if not ignore:
            return self
        tables = {}
        for name, table in self.tables.items():
            columns = ignored_columns(table.name, ignore)
            if "*" not in columns and not any(file_matches(table.path, i) for i in ignore):
                tables[name] = table.without(columns)
        files = {p: f for p, f in self.files.items() if not any(file_matches(p, i) for i in ignore)}
        parts = {}
        for owner, theirs in self.structure.items():
            columns = ignored_columns(owner, ignore)
            if "*" not in columns and not any(STRUCTURE_OF + name in ignore for name in spellings(owner)):
                parts[owner] = tuple(part for part in theirs if part.kind != "column" or part.what not in columns)
        gone = frozenset(self.tables.keys() - tables.keys())
        return Snapshot(tables, files, {o: without_names(ps, gone) for o, ps in parts.items()}, self.uncompared)

    def without_whole(self, entries: Collection[str]) -> Snapshot:
        """Return the snapshot without the tables and files that `entries` name (see :func:`names_whole`).

        What is on such a table goes with it; so do views and functions that are named.
        """
        if not entries:
            return self
        tables = {n: t for n, t in self.tables.items() if not any(names_whole(entry, n, t.path) for entry in entries)}
        gone = frozenset(self.tables.keys() - tables.keys())
        return Snapshot(
            tables,
            {p: f for p, f in self.files.items() if not any(names_whole(e, "", p) for e in entries)},
            {
                owner: without_names(parts, gone)
                for owner, parts in self.structure.items()
                if not any(names_whole(e, owner, "") for e in entries)
            },
            self.uncompared,
        )

    def names(self) -> set[str]:
        """Return what an ignore entry can name here: each ``table.column`` and each file."""
        columns = {f"{name}.{column}" for name, table in self.tables.items() for column in (*table.columns, "*")}
        columns |= {STRUCTURE_OF + owner for owner in self.structure}
        return columns | set(self.files) | {table.path for table in self.tables.values() if table.path}


def matches_nothing(entry: str, snapshots: list[Snapshot], *, whole: bool = False) -> bool:
    """Tell whether an entry names no column and no file of any snapshot; no table, where entries name `whole` ones."""
    if whole:
        return all(snapshot.without_whole([entry]) == snapshot for snapshot in snapshots)
    for snapshot in snapshots:
        if any(file_matches(path, entry) for path in snapshot.files):
            return False
        for table in snapshot.tables.values():
            if file_matches(table.path, entry):
                return False
            if ignored_columns(table.name, frozenset({entry})) & {*table.columns, "*"}:
                return False
        for owner in snapshot.structure:
            if entry.removeprefix(STRUCTURE_OF) in spellings(owner) and entry.startswith(STRUCTURE_OF):
                return False
    return True


def take(
    conninfo: str | None,
    folder: Path,
    home: Path | None = None,
    *,
    run_is_over: bool = True,
    scratch: Collection[str] = (),
) -> Snapshot:
    """Return the content of the database `conninfo` (none when None) and of all files below `folder`.

    Those below `home` are called ``~/…``; what is scratch there (:data:`HOME_SCRATCH`) is left out.

    When the run is over, its sessions are waited for and then ended, so that what they did not commit is gone. A view
    follows from its tables; its own rows are read where one of them is `scratch`, and so is not compared.
    """
    database = _database(conninfo, run_is_over, scratch) if conninfo else Snapshot()
    tables, files = dict(database.tables), {}
    for found in itertools.chain(_files(folder), _files_at_home(home) if home else ()):
        if isinstance(found, File):
            files[found.path] = found
        else:
            tables[found.name] = found
    return Snapshot(tables, files, database.structure, database.uncompared)


def sequences(conninfo: str) -> list[tuple[object, ...]]:
    """Return how far each sequence of the database `conninfo` has come."""
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as connection:
        query = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"
        return connection.execute(query).fetchall()


def save_after_task(watch: Mapping[str, Any], task_id: str, map_index: int) -> None:
    """Take a snapshot and put it into the folder ``watch["into"]`` under the task's name and turn."""
    into = Path(watch["into"])
    turn = len(list(into.iterdir()))
    snapshot = take(
        watch["conninfo"],
        Path(watch["files"]),
        Path(watch["home"]),
        run_is_over=False,
        scratch=watch.get("scratch", ()),
    )
    (into / f"{turn:06d}").write_bytes(pickle.dumps((task_id, map_index, snapshot)))


def saved_after_tasks(into: Path) -> list[tuple[str, int, Snapshot]]:
    """Return what :func:`save_after_task` wrote to `into`, in order: task id, map index, snapshot."""
    return [pickle.loads(path.read_bytes()) for path in sorted(into.iterdir())]  # noqa: S301 - our own files


# --- PostgreSQL

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


def _database(conninfo: str, run_is_over: bool, scratch: Collection[str]) -> Snapshot:
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
        objects = connection.execute(_LARGE_OBJECTS).fetchall()
        parts = structure(connection)
    if objects:
        rows = tuple(sorted(f"{size}\t{digest}".encode() for size, digest in objects))
        tables.append(Table(LARGE_OBJECTS, ("bytes", "sha256"), (), rows))
    return Snapshot({table.name: table for table in tables}, structure=parts, uncompared=tuple(uncompared))


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


# --- files


def _files_at_home(home: Path) -> Iterator[File | Table]:
    """Yield what is below a home folder, most of which is seldom there: programs keep their settings in it."""
    scratch = {path for pattern in HOME_SCRATCH for path in home.glob(pattern)}
    yield from _files(home, HOME, scratch)


def _files(folder: Path, prefix: str = "", scratch: Collection[Path] = ()) -> Iterator[File | Table]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if Path(parent, name) not in scratch)
        names = [name for name in names if Path(parent, name) not in scratch]
        links = [name for name in folders if Path(parent, name).is_symlink()]  # walk does not follow them
        for name in sorted([*names, *links]):
            path = Path(parent, name)
            if contents.is_part_of_another(path):
                continue
            yield from _held(path, prefix + path.relative_to(folder).as_posix())


def _held(path: Path, name: str) -> Iterator[File | Table]:
    """Yield the tables that a file holds; itself, where it is no database."""
    if path.is_symlink():
        content = b"-> " + os.fsencode(os.readlink(path))
        yield File(name, len(content), (content,), content)
    elif not path.is_file():
        yield File(name, 0, (b"not a regular file",), None)
    elif (tables := contents.tables(path)) is None:
        yield _file(path, name)
    else:
        for table in tables:
            yield Table(f"{name}:{table.name}", table.columns, table.key, table.lines(), path=name)


def _file(path: Path, name: str) -> File:
    for opened in contents.readings(path):
        with contextlib.suppress(*contents.ERRORS), opened() as stream:
            return _read(stream, name)
    raise AssertionError("bytes can be read")


def _read(stream: BufferedIOBase, name: str) -> File:
    chunks, kept, size = [], [], 0
    while chunk := stream.read(CHUNK_BYTES):
        size += len(chunk)
        chunks.append(hashlib.blake2b(chunk, digest_size=16).digest())
        if size <= KEPT_BYTES:
            kept.append(chunk)
    return File(name, size, tuple(chunks), b"".join(kept) if size <= KEPT_BYTES else None)
