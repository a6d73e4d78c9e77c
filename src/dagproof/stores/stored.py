"""What is left of a run, by table and by file."""

from __future__ import annotations

from dataclasses import dataclass, field

Row = tuple[bytes, ...]
NULL = rb"\N"
"""How NULL is written in rows."""


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

    def values(self, column: str) -> set[bytes]:
        """Return the values in a column; none where there is no such column."""
        if column not in self.columns:
            return set()
        place = self.columns.index(column)
        return {row.split(b"\t")[place] for row in self.rows}


@dataclass(frozen=True)
class File:
    """A file's content: all of it when it is small, and a hash of each 64 KiB in any case.

    Of what gzip has compressed, it is that which was compressed.
    """

    path: str
    size: int
    chunks: tuple[bytes, ...]
    content: bytes | None = field(repr=False)
