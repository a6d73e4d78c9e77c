"""Diffs: how one snapshot differs from another, by table, key and column, and by file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from heapq import nsmallest
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from dagproof.worlds.filediff import FileDiff as FileDiff  # part of a Diff, and had here with it
from dagproof.worlds.filediff import diff_files
from dagproof.worlds.snapshot import STRUCTURE_OF, File, Row, Snapshot, Table
from dagproof.worlds.structurediff import StructureDiff, diff_structures

#: How many rows a table's diff keeps, and how large they may be together; it counts all of them.
MAX_EXAMPLES = 200
MAX_EXAMPLE_BYTES = 1_000_000
JSON_EXAMPLES = 3


@dataclass(frozen=True)
class Change:
    """A value that changed; None is NULL."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Example:
    """One differing row. `change` is ``added``, ``missing``, ``changed`` or ``duplicated``.

    `key` maps key columns (all columns where the table has no key) to values as PostgreSQL prints them, None for
    NULL; a changed row also has the first `column` that changed with its value `before` and `after`, and all others
    that did in `also`; a duplicated one its `times`.
    """

    change: str
    key: dict[str, str | None]
    column: str | None = None
    before: str | None = None
    after: str | None = None
    times: int = 1
    also: tuple[Change, ...] = ()


@dataclass(frozen=True)
class TableDiff:
    """How a table differs: the number of rows of each kind, the columns whose values changed, and examples.

    `rows_before` or `rows_after` is None where the table does not exist.
    """

    table: str
    rows_before: int | None
    rows_after: int | None
    added: int = 0
    missing: int = 0
    changed: int = 0
    duplicated: int = 0
    columns: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    left_out: int = 0
    """How many differing rows there are besides the examples."""

    @property
    def only_columns(self) -> bool:
        """Whether the tables hold the same rows but for some columns."""
        return self.changed > 0 and not (self.added or self.missing or self.duplicated)

    def shortened(self, most: int) -> TableDiff:
        """Return it with at most so many examples."""
        cut = max(0, len(self.examples) - most)
        return replace(self, examples=self.examples[:most], left_out=self.left_out + cut)


@dataclass(frozen=True)
class Diff:
    """All tables and files that differ, and what is on the tables; falsy when nothing does."""

    tables: tuple[TableDiff, ...] = ()
    files: tuple[FileDiff, ...] = ()
    structure: tuple[StructureDiff, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.files or self.structure)

    @property
    def names(self) -> set[str]:
        """The tables and files that differ, and what else has a name of its own."""
        return {t.table for t in self.tables} | {f.path for f in self.files} | {s.table for s in self.structure}

    def to_json(self) -> dict[str, Any]:
        """Return the diff as plain data, with a few examples of each table's rows."""
        short = replace(self, tables=tuple(table.shortened(JSON_EXAMPLES) for table in self.tables))
        return {**asdict(short), "structure": tuple(part.to_json() for part in self.structure)}


@dataclass
class _Changes:
    """What is left to explain of two tables' rows, and what has been explained."""

    before: Table
    after: Table
    missing: list[Row] = field(default_factory=list)
    added: list[Row] = field(default_factory=list)
    duplicated: list[tuple[Row, int, int]] = field(default_factory=list)
    """The row, how often it is there now, and how many of them are too many."""
    changed: list[tuple[Row, Row]] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)


def diff(before: Snapshot, after: Snapshot) -> Diff:
    """Return how `after` differs from `before`; the order of rows does not count."""
    tables = [
        _diff_tables(before.tables.get(name), after.tables.get(name))
        for name in sorted(before.tables.keys() | after.tables.keys())
    ]
    files = [
        diff_files(path, before.files.get(path), after.files.get(path))
        for path in sorted(before.files.keys() | after.files.keys())
    ]
    # A table that is on one side only is told as that, not once more for each of its columns.
    one_sided = before.tables.keys() ^ after.tables.keys()
    structure = diff_structures(before.structure, after.structure, one_sided)
    return Diff(tuple(t for t in tables if t is not None), tuple(f for f in files if f is not None), structure)


def has_effect(effect: Diff, after: Snapshot | None = None) -> bool:
    """Tell whether the diff holds a row or a file; a table or a view that was only created, empty, is no effect.

    What is done to a table that holds rows `after` it is one, and so is another definition of what was there before.
    """
    rows_or_files = bool(effect.files) or any(t.rows_before or t.rows_after for t in effect.tables)
    filled = {name for name, table in after.tables.items() if table.rows} if after else set()
    return rows_or_files or any((p.before and p.after) or p.table in filled for p in effect.structure)


def differing_names(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the tables and files that differ in anything."""
    tables = {n for n in before.tables.keys() | after.tables.keys() if before.tables.get(n) != after.tables.get(n)}
    return tables | {p for p in before.files.keys() | after.files.keys() if before.files.get(p) != after.files.get(p)}


def differing_columns(found: Diff) -> frozenset[str] | None:
    """Return ``table.column`` of all that differs, or None where rows or files differ as a whole.

    Where indexes, views and the like differ, they are in it as ``structure of table``.
    """
    if found.files or not all(table.only_columns for table in found.tables):
        return None
    columns = {f"{table.table}.{column}" for table in found.tables for column in table.columns}
    return frozenset(columns | {STRUCTURE_OF + part.table for part in found.structure})


@dataclass(frozen=True)
class Unstable:
    """Tables and files of which two fresh runs agree in nothing but how many rows and files there are."""

    tables: frozenset[str] = frozenset()
    kinds: frozenset[tuple[str, str]] = frozenset()
    """Files whose names differ, by their folder and what their names end with."""
    files: frozenset[str] = frozenset()
    """Files whose content differs."""
    structure: frozenset[str] = frozenset()
    """What differs besides rows and files, as ``structure of table``."""

    def __or__(self, other: Unstable) -> Unstable:
        return Unstable(
            self.tables | other.tables,
            self.kinds | other.kinds,
            self.files | other.files,
            self.structure | other.structure,
        )

    def compared(self, before: Snapshot, after: Snapshot) -> Diff:
        """Return how `after` differs from `before`, where of these tables and files just the number counts."""
        kinds = {_kind(path) for path in before.files.keys() | after.files.keys()} & self.kinds
        mine, other = ([{p for p in s.files if _kind(p) == kind} for kind in sorted(kinds)] for s in (before, after))
        more = [path for old, new in zip(mine, other, strict=True) for path in _surplus(new, old)]
        fewer = [path for old, new in zip(mine, other, strict=True) for path in _surplus(old, new)]
        return diff(self._reduced(before, fewer), self._reduced(after, more))

    def _reduced(self, snapshot: Snapshot, surplus: list[str]) -> Snapshot:
        tables = {
            name: Table(name, (), (), (b"",) * len(table.rows)) if name in self.tables else table
            for name, table in snapshot.tables.items()
        }
        files = {
            path: File(path, 0, (), None) if path in self.files else file
            for path, file in snapshot.files.items()
            if _kind(path) not in self.kinds or path in surplus
        }
        return Snapshot(tables, files, snapshot.without(self.structure).structure)


def _surplus(many: set[str], few: set[str]) -> list[str]:
    """Return as many of the names that only `many` has as it has more of them."""
    return sorted(many - few)[: max(0, len(many) - len(few))]


def unstable(found: Diff) -> Unstable | None:
    """Return what two fresh runs with this diff agree about in number only; None where they do not even do that."""
    if any(table.rows_before != table.rows_after for table in found.tables):
        return None
    added, missing = (Counter(_kind(f.path) for f in found.files if f.change == how) for how in ("added", "missing"))
    if added != missing:
        return None
    files = frozenset(file.path for file in found.files if file.change == "changed")
    structure = frozenset(STRUCTURE_OF + part.table for part in found.structure)
    return Unstable(frozenset(table.table for table in found.tables), frozenset(added), files, structure)


def _kind(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, Path(name).suffix


def _diff_tables(before: Table | None, after: Table | None) -> TableDiff | None:
    if before is None or after is None:
        present = before or after
        assert present is not None
        empty = Table(present.name, present.columns, present.key, ())
        found = _compare(before or empty, after or empty)
        counts = (len(before.rows) if before else None, len(after.rows) if after else None)
        return _described(present, *counts, found)
    if before.rows == after.rows and before.columns == after.columns:
        return None
    if before.columns != after.columns:
        before, after = _same_columns(before, after)
        if before.rows == after.rows:  # the same columns in another order, or one that came to an empty table
            return None
    return _described(after, len(before.rows), len(after.rows), _compare(before, after))


def _same_columns(before: Table, after: Table) -> tuple[Table, Table]:
    """Return both tables with the columns of either, a column that one lacks being ``(no column)`` there."""
    columns = list(dict.fromkeys([*before.columns, *after.columns]))

    def widen(table: Table) -> Table:
        index = {column: i for i, column in enumerate(table.columns)}
        rows = []
        for row in table.rows:
            values = row.split(b"\t")
            rows.append(b"\t".join(values[index[c]] if c in index else b"(no column)" for c in columns))
        return Table(table.name, tuple(columns), table.key, tuple(sorted(rows)))

    return widen(before), widen(after)


def _compare(before: Table, after: Table) -> _Changes:
    """Explain the difference in the terms that say most: duplicated, then changed, then added and missing."""
    changes = _Changes(before, after)
    old, new = Counter(before.rows), Counter(after.rows)
    for line, times in (new - old).items():
        row = tuple(line.split(b"\t"))
        if line in old:
            changes.duplicated.append((row, new[line], times))
        else:
            changes.added.extend([row] * times)
    changes.missing.extend(tuple(line.split(b"\t")) for line in (old - new).elements())
    if set(before.key) == set(after.key):
        _pair(changes, [after.columns.index(column) for column in after.key])
    if changes.missing and len(changes.missing) == len(changes.added):
        _pair(changes, _stable_columns(changes))
    return changes


def _pair(changes: _Changes, by: list[int]) -> None:
    """Take a missing and an added row that agree in the columns `by` for one row that changed elsewhere."""
    if not by:
        return
    waiting: dict[Row, list[Row]] = defaultdict(list)
    for row in changes.added:
        waiting[tuple(row[i] for i in by)].append(row)
    left = []
    for row in changes.missing:
        same = waiting.get(tuple(row[i] for i in by))
        if same:
            partner = same.pop(0)
            changes.changed.append((row, partner))
            changes.columns |= {
                c for c, old, new in zip(changes.after.columns, row, partner, strict=True) if old != new
            }
        else:
            left.append(row)
    changes.missing = left
    changes.added = [row for rows in waiting.values() for row in rows]


def _stable_columns(changes: _Changes) -> list[int]:
    """Return the columns in which the missing and the added rows are the same rows, if there are such columns."""
    everything = range(len(changes.after.columns))
    moved = {i for i in everything if Counter(r[i] for r in changes.missing) != Counter(r[i] for r in changes.added)}
    keys = {changes.after.columns.index(column) for column in changes.after.key}
    for unstable in (moved, moved | keys):
        stable = [i for i in everything if i not in unstable]
        rows = _project(changes.missing, stable)
        # What is the same in all rows, such as their date, does not tell which row is which.
        if stable and (len(rows) > 1 or len(changes.missing) == 1) and rows == _project(changes.added, stable):
            return stable
    return []


def _project(rows: Iterable[Row], columns: list[int]) -> Counter[Row]:
    return Counter(tuple(row[i] for i in columns) for row in rows)


def _described(table: Table, rows_before: int | None, rows_after: int | None, found: _Changes) -> TableDiff:
    examples = tuple(_examples(table, found))
    differing = sum(len(rows) for rows in (found.added, found.missing, found.changed, found.duplicated))
    return TableDiff(
        table=table.name,
        rows_before=rows_before,
        rows_after=rows_after,
        added=len(found.added),
        missing=len(found.missing),
        changed=len(found.changed),
        duplicated=sum(extra for _, _, extra in found.duplicated),
        columns=tuple(column for column in table.columns if column in found.columns),
        examples=examples,
        left_out=differing - len(examples),
    )


def _examples(table: Table, found: _Changes) -> Iterator[Example]:
    """Yield examples: the smallest of each kind, then the next of each, until they are many or large."""
    kinds = (
        [("duplicated", (row,), times) for row, times, _ in nsmallest(MAX_EXAMPLES, found.duplicated)],
        [("changed", pair, 1) for pair in nsmallest(MAX_EXAMPLES, found.changed)],
        [("added", (row,), 1) for row in nsmallest(MAX_EXAMPLES, found.added)],
        [("missing", (row,), 1) for row in nsmallest(MAX_EXAMPLES, found.missing)],
    )
    in_turn = [item for item in chain.from_iterable(zip_longest(*kinds)) if item is not None]
    one_of_each, room = sum(bool(items) for items in kinds), MAX_EXAMPLE_BYTES
    for number, (kind, rows, times) in enumerate(in_turn[:MAX_EXAMPLES]):
        room -= sum(len(value) for row in rows for value in row)
        if room < 0 and number >= one_of_each:
            return
        yield _changed(table, *rows) if kind == "changed" else Example(kind, _key(table, rows[0]), times=times)


def _changed(table: Table, before: Row, after: Row) -> Example:
    first, *others = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    changes = [Change(table.columns[i], _text(before[i]), _text(after[i])) for i in (first, *others)]
    key = _key(table, after)
    if table.columns[first] in key and len(key) < len(table.columns):
        key = {c: _text(after[i]) for i, c in enumerate(table.columns) if i != first}
    return Example("changed", key, changes[0].column, changes[0].before, changes[0].after, also=tuple(changes[1:]))


def _key(table: Table, row: Row) -> dict[str, str | None]:
    wanted = table.key or table.columns
    return {column: _text(row[table.columns.index(column)]) for column in wanted}


_ESCAPES = {ord("b"): "\b", ord("f"): "\f", ord("n"): "\n", ord("r"): "\r", ord("t"): "\t", ord("v"): "\v"}


def _text(value: bytes) -> str | None:
    """Return a value of COPY's text format as text; None for NULL."""
    if value == rb"\N":
        return None
    text = value.decode("utf-8", "replace")
    if "\\" not in text:
        return text
    out, characters = [], iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            out.append(_ESCAPES.get(ord(following), following) if following else "")
        else:
            out.append(character)
    return "".join(out)
