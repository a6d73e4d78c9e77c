"""What the entries of a configuration name: a column, a table, what is on it, a file."""

from __future__ import annotations

from fnmatch import fnmatchcase


def ignored_columns(table: str, ignore: frozenset[str]) -> frozenset[str]:
    """Return the columns of `table` that `ignore` names; ``{"*"}`` for the whole of it."""
    mine = {entry.rpartition(".")[2] for entry in ignore if entry.rpartition(".")[0] in spellings(table)}
    return frozenset({"*"}) if "*" in mine else frozenset(mine)


def names_whole(entry: str, table: str, path: str) -> bool:
    """Tell whether an entry names a whole table, or the file at `path` that it is, or is in.

    ``users``, ``users.*`` and ``mart.users`` are tables, ``stg_*`` and ``mart.*`` several; so it is with files' paths.
    """
    patterns = (entry, entry.removesuffix(".*"))
    is_table = bool(table) and any(fnmatchcase(name, pattern) for name in spellings(table) for pattern in patterns)
    return is_table or (bool(path) and (path == entry or file_matches(path, entry)))


def file_matches(path: str, pattern: str) -> bool:
    """Tell whether an ignore entry names the file; only entries with a slash or a wildcard other than ``.*`` do."""
    return bool(path) and ("/" in pattern or not pattern.endswith(".*")) and fnmatchcase(path, pattern)


def spellings(table: str) -> set[str]:
    """Return the names of a table: with and without its schema, where that is ``public``."""
    database, colon, name = table.rpartition(":")
    return {table, f"{database}{colon}public.{name}"} if "." not in name else {table}
