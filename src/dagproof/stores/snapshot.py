"""Snapshots: the content of all stores of a world, every table and every file, without any being declared."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import pickle
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path

from dagproof.stores import contents
from dagproof.stores.database import Database, read_database
from dagproof.stores.naming import file_matches, ignored_columns, names_table, names_whole
from dagproof.stores.stored import File as File  # what a snapshot is made of, and had here with it
from dagproof.stores.stored import Row as Row
from dagproof.stores.stored import Table as Table
from dagproof.stores.structure import Structure, without_names

#: Files up to this size are kept whole, so that a diff can show the first differing line.
KEPT_BYTES = 4 * 2**20
CHUNK_BYTES = 64 * 2**10
HOME = "~/"
"""How the name of a file below the home folder begins."""
#: What programs keep at home for themselves: caches, histories, and the number by which dbt counts its users.
HOME_SCRATCH = (".cache", ".config/matplotlib", ".*_history", ".dbt/.user.yml", ".ivy2", ".java", ".aws/*/cache")

#: How the structure of a table is named among columns that differ.
STRUCTURE_OF = "structure of "


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

        That is ``table.column``, ``table.*``, ``structure of table``, and patterns of these and of file paths.
        """
        if not ignore:
            return self
        tables = {}
        for name, table in self.tables.items():
            columns = ignored_columns(table.name, table.columns, ignore)
            if "*" not in columns and not any(file_matches(table.path, i) for i in ignore):
                tables[name] = table.without(columns)
        files = {p: f for p, f in self.files.items() if not any(file_matches(p, i) for i in ignore)}
        parts = {}
        for owner, theirs in self.structure.items():
            columns = ignored_columns(owner, (part.what for part in theirs if part.kind == "column"), ignore)
            if "*" not in columns and not any(_names_structure(entry, owner) for entry in ignore):
                parts[owner] = tuple(part for part in theirs if part.kind != "column" or part.what not in columns)
        gone = frozenset(self.tables.keys() - tables.keys())
        return Snapshot(tables, files, {o: without_names(ps, gone) for o, ps in parts.items()}, self.uncompared)

    def without_whole(self, entries: Collection[str]) -> Snapshot:
        """Return the snapshot without the tables and files that `entries` name (see :func:`names_whole`), and columns.

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
        ).without(frozenset(entries))

    def without_columns(self, entries: Collection[str]) -> Snapshot:
        """Return the snapshot without the columns that `entries` name, and with all tables and files."""
        tables = {n: t.without(ignored_columns(n, t.columns, entries)) for n, t in self.tables.items()}
        return Snapshot(tables, self.files, self.structure, self.uncompared)

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
            if ignored_columns(table.name, table.columns, {entry}):
                return False
        if any(_names_structure(entry, owner) for owner in snapshot.structure):
            return False
    return True


def _names_structure(entry: str, owner: str) -> bool:
    pattern = entry.removeprefix(STRUCTURE_OF)
    return pattern != entry and names_table(pattern, owner)


def take(
    databases: str | Mapping[str, str] | None,
    folder: Path,
    home: Path | None = None,
    *,
    run_is_over: bool = True,
    scratch: Collection[str] = (),
) -> Snapshot:
    """Return the content of databases and of all files below `folder`.

    Of several databases, `databases` has the addresses by how the names of tables there begin.

    Those below `home` are called ``~/…``; what is scratch there (:data:`HOME_SCRATCH`) is left out.

    When the run is over, its sessions are waited for and then ended, so that what they did not commit is gone. A view
    follows from its tables; its own rows are read where one of them is `scratch`, and so is not compared.
    """
    addresses = {"": databases} if isinstance(databases, str) else databases or {}
    database = Database()
    for prefix, conninfo in addresses.items():
        database |= read_database(conninfo, run_is_over, scratch).named(prefix)
    tables, files = dict(database.tables), {}
    for found in itertools.chain(_files(folder), _files_at_home(home) if home else ()):
        if isinstance(found, File):
            files[found.path] = found
        else:
            tables[found.name] = found
    return Snapshot(tables, files, database.structure, database.uncompared)


def save_after_task(into: Path, task_id: str, map_index: int, snapshot: Snapshot) -> None:
    """Put a snapshot into the folder `into`, under the task's name and turn."""
    turn = len(list(into.iterdir()))
    (into / f"{turn:06d}").write_bytes(pickle.dumps((task_id, map_index, snapshot)))


def saved_after_tasks(into: Path) -> list[tuple[str, int, Snapshot]]:
    """Return what :func:`save_after_task` wrote to `into`, in order: task id, map index, snapshot."""
    return [pickle.loads(path.read_bytes()) for path in sorted(into.iterdir())]  # noqa: S301 - our own files


def _files_at_home(home: Path) -> Iterator[File | Table]:
    """Yield what is below a home folder, most of which is seldom there: programs keep their settings in it."""
    yield from _files(home, HOME, _scratch(home))


def scratch_at_home(home: Path) -> list[File | Table]:
    """Return what is scratch below a home folder: no part of a snapshot, but a run may read it."""
    found: list[File | Table] = []
    for path in sorted(_scratch(home)):
        name = HOME + path.relative_to(home).as_posix()
        found += _files(path, f"{name}/") if path.is_dir() and not path.is_symlink() else _held(path, name)
    return found


def _scratch(home: Path) -> set[Path]:
    return {path for pattern in HOME_SCRATCH for path in home.glob(pattern)}


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
