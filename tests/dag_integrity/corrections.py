"""How upstream data may change after a date has run: what the proofs of our own DAGs call, in a world of theirs."""

from __future__ import annotations

import csv
from pathlib import Path


def rows_removed(*, date: str, files: str, postgres: str) -> None:
    """Every third user is gone."""
    header, *rows = _read(date, files)
    _write(date, files, [header, *(row for number, row in enumerate(rows) if number % 3)])


def rows_added(*, date: str, files: str, postgres: str) -> None:
    """There are twice as many users, the new ones with ids of their own."""
    header, *rows = _read(date, files)
    at = header.index("id")
    more = [[str(int(value) + 1_000_000) if n == at else value for n, value in enumerate(row)] for row in rows]
    _write(date, files, [header, *rows, *more])


def rows_changed(*, date: str, files: str, postgres: str) -> None:
    """Every user has another name."""
    header, *rows = _read(date, files)
    at = header.index("name")
    _write(date, files, [header, *([*row[:at], f"{row[at]} II", *row[at + 1 :]] for row in rows)])


def file_emptied(*, date: str, files: str, postgres: str) -> None:
    """The file is there, and has not a byte."""
    _path(date, files).write_bytes(b"")


def _path(date: str, files: str) -> Path:
    return Path(files, "raw", "users", date, "users.csv")


def _read(date: str, files: str) -> list[list[str]]:
    with _path(date, files).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def _write(date: str, files: str, rows: list[list[str]]) -> None:
    with _path(date, files).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
