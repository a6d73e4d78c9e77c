"""Tables that keep history: what readers see of them now, and what has to be kept of what was there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dagproof.stores.naming import ignored_columns, names_whole
from dagproof.stores.snapshot import Snapshot
from dagproof.stores.stored import Table

#: How the column is called that says until when a version holds, or that a row is deleted.
_END = re.compile(
    r"(dbt_)?((row|version|record|valid|validity|effective|eff|sys|system)_?)?"
    r"(to|until|thru|through|end|end_(date|time|at|ts|dt)|(to|until)_(date|time|at|ts|dt))"
    r"|(valid|effective|eff)(to|until|end)"
    r"|(end(ed|s)?|expire[sd]?|expiry|closed|superseded|deleted|removed|archived|retired)_(at|on|ts|date|time)"
    r"|expiry|(is_)?(deleted|removed|archived|expired|closed)(_flag)?",
    re.IGNORECASE,
)
#: The one that says that a version is the current one.
_CURRENT = re.compile(r"(is_|row_)?(current|active|latest|valid|open)(_(flag|row|version|record|ind))?", re.IGNORECASE)
#: What else belongs to a version, and not to what it says.
_START = re.compile(
    r"(dbt_)?((row|version|record|valid|validity|effective|eff|sys|system)_?)?"
    r"(from|since|start|begin|(start|begin|from)_(date|time|at|ts|dt))"
    r"|(valid|effective|eff)(from|since|start|begin)|(effective|eff)_(date|at|on|ts)"
    r"|(version|revision)(_(no|nr|num|number|id))?|dbt_(scd_id|updated_at)",
    re.IGNORECASE,
)
_TRUE = {b"t", b"true", b"1", b"y", b"yes"}
_FALSE = {b"f", b"false", b"0", b"n", b"no"}
#: A moment that nobody waits for.
_NEVER = re.compile(rb"\\N|infinity|(2[2-9]|[3-9]\d)\d\d-.*|2099-12-31.*|20991231|99991231|9{8,}")


@dataclass(frozen=True)
class Versions:
    """The columns of a table by which it keeps history; without an end, it is a log, to which rows are added."""

    ends: tuple[str, ...]
    starts: tuple[str, ...]


def named(snapshot: Snapshot, entries: Collection[str], known: Collection[str] = ()) -> dict[str, Versions]:
    """Return the tables of a snapshot that keep history, and how: entries read ``customers``, ``customers.closed_on``.

    `known` are columns, as ``table.column``, that are there although the snapshot is without them: a table of versions
    is none the less one.
    """
    found = {}
    for name, table in snapshot.tables.items() if entries else ():
        hidden = {c.removeprefix(f"{name}.") for c in known if c.rpartition(".")[0] == name} - {"*"}
        columns = {*table.columns, *hidden}
        own = ignored_columns(name, columns, entries) - {"*"}
        if own or any(names_whole(entry, name, table.path) for entry in entries):
            found[name] = _versions(columns, own)
    return found


def _versions(columns: Collection[str], own: Collection[str]) -> Versions:
    ends = set(own) or {c for c in columns if _END.fullmatch(c) or _CURRENT.fullmatch(c)}
    starts = {c for c in columns if _START.fullmatch(c)} - ends if ends else set()
    return Versions(tuple(sorted(ends)), tuple(sorted(starts)))


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
    """Return the current rows; all of the table where none is, as its ends then say something else."""
    found = _current(table, how)
    return found.without(frozenset(how.ends + how.starts)) if found.rows or not table.rows else table


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
