"""What the entries of a configuration name: a column, a table, what is on it, a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase


def ignored_columns(table: str, columns: Iterable[str], entries: Collection[str]) -> frozenset[str]:
    """Return those of the columns of `table` that entries name; ``{"*"}`` for the whole of it.

    ``users.loaded_at``, ``core.users.loaded_at``, ``core.*.loaded_at`` and ``*.*_at`` name columns; ``users.*`` names a
    table, and ``core.*`` all tables of a schema.
    """
    names, found = tuple(columns), set[str]()
    for entry in entries:
        owner, _, column = entry.rpartition(".")
        if column == "*" and (names_table(owner, table) or names_table(entry, table)):
            return frozenset({"*"})
        if owner and names_table(owner, table):
            found |= {name for name in names if name == column or fnmatchcase(name, column)}
    return frozenset(found)


def names_whole(entry: str, table: str, path: str) -> bool:
    """Tell whether an entry names a whole table, or the file at `path` that it is, or is in.

    ``users``, ``users.*`` and ``mart.users`` are tables, ``stg_*`` and ``mart.*`` several; so it is with files' paths.
    """
    is_table = bool(table) and (names_table(entry, table) or names_table(entry.removesuffix(".*"), table))
    return is_table or (bool(path) and (path == entry or file_matches(path, entry)))


def names_table(pattern: str, table: str) -> bool:
    """Tell whether a pattern names a table, by whichever of its spellings."""
    return any(name == pattern or fnmatchcase(name, pattern) for name in spellings(table))


def file_matches(path: str, pattern: str) -> bool:
    """Tell whether an ignore entry names the file; only entries with a slash or a wildcard other than ``.*`` do."""
    return bool(path) and ("/" in pattern or not pattern.endswith(".*")) and fnmatchcase(path, pattern)


def spellings(table: str) -> set[str]:
    """Return the names of a table: with and without its schema, where that is ``public``."""
    database, colon, name = table.rpartition(":")
    return {table, f"{database}{colon}public.{name}"} if "." not in name else {table}
