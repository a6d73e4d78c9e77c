"""Generated keys: the columns that the database numbers itself, and those that refer to them by a foreign key.

What a sequence or a uuid gives a row says nothing of the row. Columns that hold the same keys are one domain: the key
of a table, the foreign keys that lead to it, and theirs, however many levels down.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dagproof.config.values import KEY_READINGS
from dagproof.stores.naming import spellings
from dagproof.stores.structure import Part, Structure, unquoted

RENAMED, STABLE = KEY_READINGS
#: A table and one of its columns.
Column = tuple[str, str]
GeneratedKeys = str | Mapping[str, str]
"""The setting: one of the two words for all keys, or patterns of tables and columns, each with a word or a key."""

#: What makes a column that gives each row a new value: an identity, a sequence, a uuid.
_GENERATED = re.compile(
    r" AS IDENTITY| DEFAULT .*\b(nextval|gen_random_uuid|uuid_generate_v\d\w*|uuidv[47])\(", re.DOTALL
)
_NAME = r'(?:"(?:[^"]|"")+"|[^\s"(),.]+)'
_NAMES = rf"{_NAME}(?:, {_NAME})*"
_UNIQUE = re.compile(rf"(?:(?:PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? )?\(({_NAMES})\)")
_FOREIGN = re.compile(rf"FOREIGN KEY \(({_NAMES})\) REFERENCES ({_NAME}(?:\.{_NAME})?)\(({_NAMES})\)")


@dataclass(frozen=True)
class Domain:
    """Columns that hold the same keys, and those of them in which the keys are made."""

    columns: frozenset[Column]
    keys: frozenset[Column]
    is_trusted: bool = False
    """Whether the configuration names one of its columns, so that nobody has to find out whether it is generated."""
    chosen: frozenset[bytes] = frozenset()
    """Values that the runs choose themselves, such as -1 for what is unknown: these are content."""

    @property
    def names(self) -> list[str]:
        """Its columns as people write them, those in which the keys are made first."""
        return [f"{table}.{column}" for table, column in [*sorted(self.keys), *sorted(self.columns - self.keys)]]


@dataclass(frozen=True)
class Setting:
    """What the configuration says of generated keys; of several patterns that match, the last one counts."""

    patterns: tuple[tuple[str, str], ...] = (("*", RENAMED),)

    @classmethod
    def of(cls, value: GeneratedKeys) -> Setting:
        """Return the setting that a value of the configuration is."""
        if isinstance(value, str):
            return cls((("*", value),))
        return cls((("*", RENAMED), *value.items()))

    def reading(self, column: Column) -> str:
        """Return ``renamed`` or ``stable``: how a generated key is read."""
        words = [word for pattern, word in self.patterns if word in (RENAMED, STABLE) and _matches(pattern, column)]
        return words[-1]

    def is_named(self, column: Column) -> bool:
        """Tell whether a pattern that is no pattern names just this column as one to rename."""
        table, name = column
        own = {f"{spelling}.{name}" for spelling in spellings(table)}
        return self.reading(column) == RENAMED and any(p in own and word == RENAMED for p, word in self.patterns)

    def leads_to(self, column: Column) -> list[str]:
        """Return the keys, as ``table.column``, to which a column leads without a foreign key that says so."""
        others = [(pattern, word) for pattern, word in self.patterns if word not in (RENAMED, STABLE)]
        return [word for pattern, word in others if _matches(pattern, column)]


def names_key(pattern: str, columns: Iterable[Column]) -> bool:
    """Tell whether a pattern of the setting names any of the columns, or their tables."""
    return any(_matches(pattern, column) for column in columns)


def domains(structure: Structure, columns: Iterable[Column], setting: Setting) -> list[Domain]:
    """Return the domains that are read as `setting` says ``renamed``; `columns` are those that there are."""
    known = set(columns)
    made = {(t, c) for t, parts in structure.items() for c in _generated(parts)} & known
    trusted = {column for column in known if setting.is_named(column)}
    links = [*_foreign_keys(structure), *_declared(known, setting)]
    keys = _leading(made, structure, {end for _, end in links}) | trusted
    group = _grouped([(one, other) for one, other in links if {one, other} <= known])
    found: defaultdict[Column, set[Column]] = defaultdict(set)
    for column in keys | {column for link in links for column in link if column in known}:
        found[group(column)].add(column)
    return [
        Domain(frozenset(members), frozenset(members & keys), bool(members & trusted))
        for _, members in sorted(found.items())
        if members & keys and all(setting.reading(key) == RENAMED for key in members & keys)
    ]


def generated(structure: Structure, setting: Setting) -> set[Column]:
    """Return the columns that the database fills itself and that `setting` says are ``stable``."""
    made = {(table, column) for table, parts in structure.items() for column in _generated(parts)}
    return {column for column in made if setting.reading(column) == STABLE}


def _generated(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if part.kind == "column" and _GENERATED.search(" " + part.definition):
            yield _names(part.what)[0]


def _leading(made: set[Column], structure: Structure, referenced: set[Column]) -> set[Column]:
    """Return those of the generated columns that are keys: unique, referred to, or all that a table has for one.

    A receipt's number that a sequence gives and no key has is content.
    """
    unique = {table: set(_unique(parts)) for table, parts in structure.items()}
    return {(t, c) for t, c in made if c in unique[t] or not unique[t] or (t, c) in referenced}


def _unique(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        is_index = part.kind == "unique index"
        if is_index or (part.kind == "constraint" and part.what.startswith(("PRIMARY KEY", "UNIQUE"))):
            found = _UNIQUE.match(part.what)
            yield from _names(found[1]) if found else ()


def _foreign_keys(structure: Structure) -> Iterator[tuple[Column, Column]]:
    """Yield each column of a foreign key, and the one that it refers to."""
    for table, parts in structure.items():
        database, colon, _ = table.rpartition(":")
        for part in parts:
            found = _FOREIGN.match(part.what) if part.kind == "constraint" else None
            if found:
                to = database + colon + ".".join(_names(found[2])).removeprefix("public.")
                for mine, theirs in zip(_names(found[1]), _names(found[3]), strict=True):
                    yield (table, mine), (to, theirs)


def _declared(columns: set[Column], setting: Setting) -> Iterator[tuple[Column, Column]]:
    """Yield what the configuration says of columns without a foreign key."""
    for column in columns:
        for name in setting.leads_to(column):
            table, _, key = name.rpartition(".")
            yield from ((column, other) for other in columns if other[1] == key and table in spellings(other[0]))


def _grouped(links: Iterable[tuple[Column, Column]]) -> _Groups:
    groups = _Groups()
    for one, other in links:
        groups.join(one, other)
    return groups


class _Groups:
    """Columns that are linked, each group known by its smallest column."""

    def __init__(self) -> None:
        self._of: dict[Column, Column] = {}

    def __call__(self, column: Column) -> Column:
        while (above := self._of.get(column, column)) != column:
            column = above
        return column

    def join(self, one: Column, other: Column) -> None:
        first, second = sorted((self(one), self(other)))
        self._of[second] = first


def _names(text: str) -> list[str]:
    return [unquoted(name) for name in re.findall(_NAME, text)]


def _matches(pattern: str, column: Column) -> bool:
    table, name = column
    return any(fnmatchcase(s, pattern) or fnmatchcase(f"{s}.{name}", pattern) for s in spellings(table))
