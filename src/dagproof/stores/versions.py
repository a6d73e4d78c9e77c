"""Tables that keep history: what readers see of them now, and what has to be kept of what was there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dagproof.stores.naming import ignored_columns, names_whole
from dagproof.stores.snapshot import Snapshot
from dagproof.stores.stored import NULL, Table
from dagproof.stores.structure import Part, unquoted

#: What makes clear that a moment is one of a version, and not one of what it says: ``valid_to``, and not ``to``.
_OF_A_VERSION = r"(dbt_)?(row|version|record|valid|validity|effective|eff|sys|system)"
_WHEN = r"(date|time|at|ts|dt)"
#: How the column is called that says until when a version holds, or that a row is deleted.
_END = re.compile(
    rf"{_OF_A_VERSION}_?(to|until|thru|through|end)(_{_WHEN})?"
    rf"|(end(ed|s)?|expire[sd]?|expiry|closed|superseded|deleted|removed|archived|retired)_(on|{_WHEN})"
    r"|expiry|deleted|(is_)?(removed|archived)(_flag)?|is_(deleted|expired)(_flag)?|(deleted|expired)_flag",
    re.IGNORECASE,
)
#: The one that says that a version is the current one.
_CURRENT = re.compile(r"(is_|row_)?(current|active|latest|valid|open)(_(flag|row|version|record|ind))?", re.IGNORECASE)
#: Words that mean other things, too: the two ends of a transfer, a shop that is open. They need a start beside them.
_UNSURE_END = re.compile(rf"(to|until|thru|through|end)(_{_WHEN})?", re.IGNORECASE)
_UNSURE_FLAG = re.compile(r"current|active|latest|expired|(is_|row_)?(valid|open|closed)(_flag)?", re.IGNORECASE)
#: What else belongs to a version, and not to what it says.
_START = re.compile(
    rf"({_OF_A_VERSION}_?)?(from|since|start|begin)(_{_WHEN})?|(effective|eff)_(date|at|on|ts)", re.IGNORECASE
)
_UNSURE_START = re.compile(rf"(from|since|start|begin)(_{_WHEN})?", re.IGNORECASE)
_NUMBER = re.compile(r"(version|revision)(_(no|nr|num|number|id))?|dbt_(scd_id|updated_at)", re.IGNORECASE)
#: Types that leave no doubt.
_TELLING = re.compile(r"(date|timestamp|boolean)\b")
_TRUE = {b"t", b"true", b"1", b"y", b"yes"}
_FALSE = {b"f", b"false", b"0", b"n", b"no"}
_WORDS = (_END, _CURRENT, _UNSURE_END, _UNSURE_FLAG, _START)
#: What a day looks like in a column of another type; under a name that says enough, also seconds since 1970.
_DAY = re.compile(rb"-?infinity|\d{4,}-\d\d-\d\d.*|(19|[2-9]\d)\d\d[01]\d[0-3]\d|9{8,}")
_SECONDS = re.compile(rb"|0|1\d{9}(\d{3})?(\.\d+)?")
#: A moment that nobody waits for.
_NEVER = re.compile(rb"\\N|infinity|(2[2-9]|[3-9]\d)\d\d-.*|2099-12-31.*|20991231|99991231|9{8,}")


@dataclass(frozen=True)
class Versions:
    """The columns of a table by which it keeps history; without an end, it is a log, to which rows are added."""

    ends: tuple[str, ...]
    starts: tuple[str, ...]


@dataclass(frozen=True)
class _Column:
    """A column of a table: its type, where PostgreSQL says it, and what is in it besides NULL, if that has to tell."""

    name: str
    type: str = ""
    values: frozenset[bytes] = frozenset()

    @property
    def tells(self) -> bool:
        """Whether its type or its content says what it is: an empty one of text may be anything."""
        return bool(_TELLING.match(self.type) or self.values or not self.type)

    @property
    def is_day(self) -> bool:
        """Whether it holds dates or timestamps."""
        if _TELLING.match(self.type):
            return not self.type.startswith("boolean")
        return all(map(_DAY.fullmatch, self.values))

    @property
    def is_moment(self) -> bool:
        """Whether it may hold moments, in whatever form."""
        return self.is_day or (
            not _TELLING.match(self.type) and all(_DAY.fullmatch(v) or _SECONDS.fullmatch(v) for v in self.values)
        )

    @property
    def is_flag(self) -> bool:
        """Whether it may hold yes and no, in whatever form."""
        if _TELLING.match(self.type):
            return self.type.startswith("boolean")
        return all(value.lower() in _TRUE | _FALSE for value in self.values)


def named(snapshots: Sequence[Snapshot], entries: Collection[str], known: Collection[str] = ()) -> dict[str, Versions]:
    """Return the tables of snapshots that keep history, and how: entries read ``customers``, ``customers.closed_on``.

    `known` are columns, as ``table.column``, that are there although the snapshots are without them: a table of
    versions is none the less one.
    """
    found = {}
    for name in sorted({name for snapshot in snapshots for name in snapshot.tables}) if entries else ():
        tables = [snapshot.tables[name] for snapshot in snapshots if name in snapshot.tables]
        hidden = {c.removeprefix(f"{name}.") for c in known if c.rpartition(".")[0] == name} - {"*"}
        names = hidden.union(*(table.columns for table in tables))
        own = ignored_columns(name, names, entries) - {"*"}
        if own or any(names_whole(entry, name, tables[0].path) for entry in entries):
            parts = [part for snapshot in snapshots for part in snapshot.structure.get(name, ())]
            found[name] = _versions(_columns(names, tables, parts), own)
    return found


def _columns(names: Collection[str], tables: Collection[Table], parts: Iterable[Part]) -> list[_Column]:
    types = {unquoted(part.what): part.definition for part in parts if part.kind == "column"}
    found = []
    for name in sorted(names):
        kind = types.get(name, "")
        is_unclear = not _TELLING.match(kind) and any(words.fullmatch(name) for words in _WORDS)
        values = (table.values(name) for table in tables if is_unclear)
        found.append(_Column(name, kind, frozenset[bytes]().union(*values) - {NULL}))
    return found


def _versions(columns: Collection[_Column], own: Collection[str]) -> Versions:
    if own:
        ends = set(own)
    else:
        sure = {c.name for c in columns if _is_end(c) and not _is_unsure(c.name)}
        ends = sure | {c.name for c in columns if _is_end(c) and _is_unsure(c.name) and _has_start(c, columns, sure)}
    starts = _starts(columns) - ends if ends else ()
    return Versions(tuple(sorted(ends)), tuple(sorted(starts)))


def _starts(columns: Collection[_Column]) -> set[str]:
    """Return what else belongs to a version; beside `valid_from`, `start_date` is what the version says."""
    moments = {c.name for c in columns if _START.fullmatch(c.name) and c.is_moment}
    sure = {name for name in moments if not _UNSURE_START.fullmatch(name)}
    return (sure or moments) | {c.name for c in columns if _NUMBER.fullmatch(c.name)}


def _is_unsure(name: str) -> bool:
    return bool(_UNSURE_END.fullmatch(name) or _UNSURE_FLAG.fullmatch(name))


def _is_end(column: _Column) -> bool:
    """Tell whether a column may end a version: by its name, and by what it holds."""
    if _is_unsure(column.name) and not column.tells:
        return False
    if _CURRENT.fullmatch(column.name):
        return column.is_flag
    if _UNSURE_END.fullmatch(column.name):
        return column.is_day
    is_end = _END.fullmatch(column.name) or _UNSURE_FLAG.fullmatch(column.name)
    return bool(is_end) and (column.is_moment or column.is_flag)


def _has_start(column: _Column, columns: Iterable[_Column], sure: Collection[str]) -> bool:
    """Tell whether an unsure column stands beside another one of a version.

    Beside `valid_to`, another end is what the version says; a flag may say the same once more.
    """
    starts = any(_START.fullmatch(c.name) and c.tells and c.is_day for c in columns)
    if _UNSURE_FLAG.fullmatch(column.name):
        return bool(sure or starts or any(_NUMBER.fullmatch(c.name) for c in columns))
    return starts and not sure


def without_current(snapshots: Collection[Snapshot], how: Mapping[str, Versions]) -> set[str]:
    """Return the tables of versions that hold rows, none of which is current: their ends say something else."""
    tables = [(n, s.tables[n]) for s in snapshots for n in s.tables.keys() & how.keys() if how[n].ends]
    return {n for n, t in tables if t.rows} - {n for n, table in tables if _current(table, how[n]).rows}


def current(snapshot: Snapshot, how: Mapping[str, Versions]) -> Snapshot:
    """Return the snapshot with the current rows of tables that keep versions, and without what belongs to a version."""
    return _each(snapshot, how, _as_read)


def open_ended(snapshot: Snapshot, how: Mapping[str, Versions]) -> Snapshot:
    """Return the snapshot with all versions, whether or not they have ended."""
    return _each(snapshot, how, lambda table, of: table.without(frozenset(of.ends)))


def kept(before: Snapshot, after: Snapshot, how: Mapping[str, Versions]) -> Snapshot:
    """Return `after` without what was added to logs: only what they have lost is a difference."""
    logs = {name for name, of in how.items() if not of.ends and name in before.tables}
    return replace(
        after,
        tables={name: _common(before.tables[name], t) if name in logs else t for name, t in after.tables.items()},
    )


def _common(before: Table, after: Table) -> Table:
    if before.columns != after.columns:
        return after
    return replace(after, rows=tuple(sorted((Counter(after.rows) & Counter(before.rows)).elements())))


def _each(snapshot: Snapshot, how: Mapping[str, Versions], change: Callable[[Table, Versions], Table]) -> Snapshot:
    """Return the snapshot with each table changed that keeps versions."""
    changed = {n: change(t, how[n]) for n, t in snapshot.tables.items() if n in how and how[n].ends}
    return replace(snapshot, tables={**snapshot.tables, **changed})


def _as_read(table: Table, how: Versions) -> Table:
    return _current(table, how).without(frozenset(how.ends + how.starts))


def _current(table: Table, how: Versions) -> Table:
    places = [(table.columns.index(column), column) for column in how.ends if column in table.columns]
    rows = (row for row in table.rows if _is_current(row.split(b"\t"), places))
    return replace(table, rows=tuple(rows))


def _is_current(values: Sequence[bytes], places: Iterable[tuple[int, str]]) -> bool:
    """Tell whether nothing in a row says that it has ended: a flag by its name, a moment by being there."""
    for place, column in places:
        value = values[place].lower()
        if value in _TRUE | _FALSE:
            if (value in _TRUE) != bool(_CURRENT.fullmatch(column)):
                return False
        elif not _NEVER.fullmatch(values[place]):
            return False
    return True
