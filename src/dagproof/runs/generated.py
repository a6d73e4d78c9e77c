"""How the generated keys of a DAG are read: which ones the database makes, and whether they leave it.

A comparison asks only when rows differ. Then each date runs once more in a world whose sequences begin elsewhere. A key
that is another one there was generated; whatever else differs there depends on keys, and has taken them out of their
tables: those keys are content, and compared as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dagproof.errors import DagproofError
from dagproof.histories import Step
from dagproof.inside.machine import HERE
from dagproof.runs.scope import ASIDE, NOT_COMPARED, reported
from dagproof.stores.diff import Diff, diff, differing_columns
from dagproof.stores.keys import Column, Domain, Setting, domains, generated
from dagproof.stores.renaming import TooSymmetricError, renamed
from dagproof.stores.snapshot import Snapshot
from dagproof.stores.stored import NULL
from dagproof.stores.structure import without_sequences

if TYPE_CHECKING:
    from dagproof.runs.lab import Lab

SETTING = "generated_keys"
RENAMED = "compared up to other generated values"
TRUSTED = f"{RENAMED}, as configured; where else they are stored was not checked, as PostgreSQL does not generate them"
AS_CONFIGURED = "compared by value, as configured"
SYMMETRIC = "compared by value, as too many rows look the same without it"
CHOSEN = "compared by value, as the runs choose it themselves"
FAILS = "compared by value, as a run fails where sequences begin elsewhere"
LEAVES = "compared by value, as it leaves its table: "
#: What a key looks like inside a text: a uuid, or a number.
_KEY = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
#: How many places are named that keys have left for.
MOST_PLACES = 3


@dataclass
class _Found:
    """What is known of the generated keys, by the columns in which they are made."""

    moved: set[Column] = field(default_factory=set)
    """Keys that are other ones where sequences begin elsewhere, or each time."""
    content: dict[Column, str] = field(default_factory=dict)
    """Keys that are compared as they are, each with the reason."""
    chosen: dict[Column, set[bytes]] = field(default_factory=dict)
    """What the runs choose themselves where keys are made, such as -1 for what is unknown."""


class GeneratedKeys:
    """The reading of the generated keys of one DAG."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.setting = Setting.of(lab.proof.generated_keys)
        self._known: _Found | None = None

    def renamed(self, before: Snapshot, after: Snapshot) -> Snapshot:
        """Return `after` with its generated keys named as in `before`, where these are read up to other values.

        The proof that is under way notes which reading it was.
        """
        differing = _differing(before, after)
        if not differing:
            return after
        self._note_stable(before, after, differing)
        if _reached(self._domains(before, after), differing):
            self._look()
        chosen = [d for d in _reached(self._domains(before, after), differing) if self._is_renamed(d)]
        if not chosen:
            return after
        try:
            same = renamed(before, after, chosen)
        except TooSymmetricError:
            self._note(chosen, SYMMETRIC)
            return after
        for domain in chosen:
            self._note([domain], self._reading(domain))
        for entry in reported(self._lab.ran()):
            if entry.why.endswith(ASIDE):
                self._lab.scope.leave_out(f"generated keys in what goes to {entry.what}", NOT_COMPARED, SETTING)
        return same

    def _domains(self, *snapshots: Snapshot) -> list[Domain]:
        parts = {owner: s.structure[owner] for s in reversed(snapshots) for owner in s.structure}
        columns = {(name, column) for s in snapshots for name, t in s.tables.items() for column in t.columns}
        chosen = self._known.chosen if self._known else {}
        return [
            replace(domain, chosen=frozenset().union(*(chosen.get(key, ()) for key in domain.keys)))
            for domain in domains(parts, columns, self.setting)
        ]

    def _is_renamed(self, domain: Domain) -> bool:
        known = self._look()
        is_generated = domain.is_trusted or bool(domain.keys & known.moved)
        why = next((known.content[key] for key in sorted(domain.keys) if key in known.content), "")
        if not why and domain.chosen and not is_generated:
            why = CHOSEN
        if why:
            self._note([domain], why)
        return not why and is_generated

    def _reading(self, domain: Domain) -> str:
        """Return how a domain is read that is read up to other values."""
        if not domain.keys & self._look().moved:
            return TRUSTED
        return f"{RENAMED}, except those that the runs choose themselves" if domain.chosen else RENAMED

    def _note_stable(self, before: Snapshot, after: Snapshot, differing: set[str]) -> None:
        stable = generated({**before.structure, **after.structure}, self.setting)
        for table, column in sorted(stable):
            if table in differing:
                self._lab.scope.leave_out(f"{table}.{column}", AS_CONFIGURED, SETTING)

    def _note(self, chosen: Iterable[Domain], why: str) -> None:
        for table, column in sorted(key for domain in chosen for key in domain.keys):
            self._lab.scope.leave_out(f"{table}.{column}", why, SETTING)

    def _look(self) -> _Found:
        """Return what is known of all keys; the dates run once more for that."""
        if self._known is None:
            self._known = _Found()  # what is compared meanwhile is compared as it is
            for date in self._lab.dates:
                self._look_at(date, self._known)
        return self._known

    def _look_at(self, date: str, known: _Found) -> None:
        run = (Step("run", date),)
        states = self._lab.states
        try:
            given, first = self._lab.before(run), self._lab.state(run)
            again = self._lab.state(run, repeat=1)
        except DagproofError:
            return  # it fails, and each law says so
        mine = self._domains(first)
        try:
            machine = HERE.with_other_numbers()
            moved = states.state(states.key(run, machine), machine)
        except DagproofError:
            known.content = {key: FAILS for domain in mine for key in domain.keys} | known.content
            return
        for domain in mine:
            old = _values(given, domain.keys) | {NULL}
            new, other = _values(first, domain.keys) - old, _values(moved, domain.keys) - old
            if new ^ other:
                known.moved |= domain.keys
            if new ^ other or not domain.is_trusted:  # where no sequence makes them, they are the same in both
                for key in domain.keys:
                    known.chosen.setdefault(key, set()).update(new & other)
        chosen = [domain for domain in self._domains(first) if domain.keys & known.moved]
        first, again, moved = (replace(s, structure=without_sequences(s.structure)) for s in (first, again, moved))
        self._look_outside(known, chosen, first, again, moved)

    def _look_outside(
        self, known: _Found, chosen: list[Domain], first: Snapshot, again: Snapshot, moved: Snapshot
    ) -> None:
        """Find what else depends on the keys: those are content then."""
        chosen = self._with_views(chosen, first, moved)
        if not chosen:
            return
        symmetric = {key: SYMMETRIC for domain in chosen for key in domain.keys}
        try:
            noise = differing_columns(diff(first, renamed(first, again, chosen)))
            if noise is None:
                return  # fresh runs agree about nothing that could be compared
            first, moved = (s.without(noise).without_whole(self._lab.proof.scratch) for s in (first, moved))
            found = diff(first, renamed(first, moved, chosen))
        except TooSymmetricError:
            known.content = symmetric | known.content
            return
        if not found:
            return
        why = LEAVES + ", ".join(_places(found)[:MOST_PLACES])
        if copies := _holding(chosen, first, moved, is_derived=False):
            declared = ", ".join(f'"{column}" = "{key}"' for column, key in sorted(copies.items()))
            why += f"; if that refers to the key, configure {{ {declared} }}"
        places = [Diff(tables=(t,)) for t in found.tables] + [Diff(files=(f,)) for f in found.files]
        places += [Diff(structure=(part,)) for part in found.structure]
        holders = [[d for d in chosen if _is_in(d, moved, place)] for place in places]
        # Where one difference is nobody's, it may be anybody's.
        left = [d for d in chosen if any(d in held for held in holders)] if all(holders) else chosen
        known.content = {key: why for domain in left for key in domain.keys} | known.content

    def _with_views(self, chosen: list[Domain], first: Snapshot, moved: Snapshot) -> list[Domain]:
        """Return the domains with the columns of materialized views that hold their keys, as they are computed."""
        links = _holding(chosen, first, moved, is_derived=True)
        self.setting = Setting((*self.setting.patterns, *links.items()))
        keys = {key for domain in chosen for key in domain.keys}
        return [domain for domain in self._domains(first, moved) if domain.keys & keys] if links else chosen


def _holding(chosen: list[Domain], first: Snapshot, moved: Snapshot, *, is_derived: bool) -> dict[str, str]:
    """Return the columns besides those of the domains that hold nothing but keys of one, each with its key."""
    known = {column for domain in chosen for column in domain.columns}
    found: dict[str, str] = {}
    for name, table in moved.tables.items():
        for column in table.columns if table.is_derived == is_derived else ():
            if (name, column) in known:
                continue
            for domain in chosen:
                values = _values(moved, [(name, column)]) - {NULL} - domain.chosen
                is_new = values and not values & _values(first, [(name, column)])
                if is_new and values <= _values(moved, domain.columns):
                    found[f"{name}.{column}"] = ".".join(min(domain.keys))
    return found


def _differing(before: Snapshot, after: Snapshot) -> set[str]:
    return {n for n in {*before.tables, *after.tables} if before.tables.get(n) != after.tables.get(n)}


def _reached(found: Sequence[Domain], tables: set[str]) -> list[Domain]:
    """Return the domains that have to do with some tables: their keys, those of tables that these lead to, and so on.

    Rows of a table that does not differ may still have changed places, where they look alike.
    """
    reached: list[Domain] = []
    left = list(found)
    while near := [domain for domain in left if {table for table, _ in domain.columns} & tables]:
        reached += near
        left = [domain for domain in left if domain not in near]
        tables = tables | {table for domain in near for table, _ in domain.columns}
    return reached


def _values(snapshot: Snapshot, columns: Iterable[Column]) -> set[bytes]:
    found: set[bytes] = set()
    for name, column in columns:
        found |= snapshot.tables[name].values(column) if name in snapshot.tables else set()
    return found


def _places(found: Diff) -> list[str]:
    """Return where something differs: columns, whole tables, files, views and the like."""
    tables = [f"{t.table}.{c}" for t in found.tables for c in t.columns if t.only_columns]
    whole = [t.table for t in found.tables if not t.only_columns]
    return [*tables, *whole, *(f.path for f in found.files), *(s.part for s in found.structure)]


def _is_in(domain: Domain, snapshot: Snapshot, found: Diff) -> bool:
    """Tell whether keys of a domain stand where something differs; there, no other number is like them."""
    keys = {value for value in _values(snapshot, domain.keys) - domain.chosen if len(value) > 5}
    tables = [snapshot.tables[t.table] for t in found.tables if t.table in snapshot.tables]
    texts = [b"\n".join(table.without(_own(domain, table.name)).rows) for table in tables]
    texts += [snapshot.files[f.path].content or b"" for f in found.files if f.path in snapshot.files]
    parts = [(s.table, part) for s in found.structure for part in snapshot.structure.get(s.table, ())]
    texts += [f"{part.named(owner)} {part.definition}".encode() for owner, part in parts]
    return any(word in keys for text in texts for word in _KEY.findall(text))


def _own(domain: Domain, table: str) -> frozenset[str]:
    return frozenset(column for name, column in domain.columns if name == table)
