"""Databases that are files: how one is told from any other file, and read without changing it."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: What the views, indexes and triggers of such a file are called among its tables.
DEFINITIONS = "definitions"
_BESIDE_ROWS = re.compile(r"\b(DEFAULT|CHECK|REFERENCES|UNIQUE|COLLATE|GENERATED|AS|STRICT)\b", re.IGNORECASE)


class UnreadableError(Exception):
    """A file is no such database after all, or what reads it is not installed."""


@dataclass(frozen=True)
class Content:
    """A table in such a file: its columns, those of its primary key, and its rows."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def lines(self) -> tuple[bytes, ...]:
        r"""Return the rows as lines of PostgreSQL's COPY text format, sorted: ``\\N`` is NULL."""
        return tuple(sorted("\t".join(map(_text, row)).encode(errors="surrogateescape") for row in self.rows))


@dataclass(frozen=True)
class Kind:
    """A kind of database.

    A file is one when it has the bytes `magic` at the offset `at`. `parts` are the endings of what lies beside it
    while it is written, or after a crash, and belongs to it; `others` those of what is made anew from them.
    """

    magic: bytes
    at: int
    parts: tuple[str, ...]
    others: tuple[str, ...]
    read: Callable[[Path], Iterator[Content]]
    error: type[Exception]

    def is_one(self, path: Path) -> bool:
        """Tell whether a file is a database of this kind."""
        with path.open("rb") as stream:
            stream.seek(self.at)
            return stream.read(len(self.magic)) == self.magic

    def has_part(self, path: Path) -> bool:
        """Tell whether a file belongs to a database beside it."""
        for ending in (*self.parts, *self.others):
            database = path.with_name(path.name.removesuffix(ending))
            if database != path and database.is_file() and self.is_one(database):
                return True
        return False

    def tables(self, path: Path) -> list[Content]:
        """Return the tables of a database as a reader would find them now.

        Raises:
            UnreadableError: it cannot be read.
        """
        with tempfile.TemporaryDirectory() as folder:  # reading what a crash has left would change it
            copy = Path(folder, path.name)
            for ending in ("", *self.parts):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(path.with_name(path.name + ending), copy.with_name(copy.name + ending))
            try:
                return list(self.read(copy))
            except self.error as error:
                raise UnreadableError from error


def beyond_rows(definition: str) -> str:
    """Return what is between the brackets of a CREATE TABLE, where rows do not show all of it; otherwise nothing.

    The table's name is left out: it changes when a table is swapped by renaming.
    """
    body = " ".join(definition.partition("(")[2].split())
    return body if _BESIDE_ROWS.search(body) else ""


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value).translate(_ESCAPES)


def tables_of(path: Path, kinds: Iterable[Kind]) -> list[Content] | None:
    """Return the tables of a file that is a database of one of the kinds; None where it is not, or cannot be read."""
    for kind in kinds:
        if kind.is_one(path):
            with contextlib.suppress(UnreadableError):
                return kind.tables(path)
    return None
