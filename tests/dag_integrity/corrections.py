"""How upstream data may change after a date has run: what the proofs of our own DAGs call, in a world of theirs."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable
from pathlib import Path

from etl.logs.generator import generate_log
from etl.weekly.files import TABLES, generated


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


def orders_removed(*, date: str, files: str, postgres: str) -> None:
    """Every second order of the week is gone."""
    header, *rows = b"".join(generated("orders", _day_before(date), 0.004)).splitlines(keepends=True)
    _put(files, f"shop/{_day_before(date)}/orders.csv", [header, *rows[::2]])


def week_replaced(*, date: str, files: str, postgres: str) -> None:
    """The week is that of a larger shop: other rows with the same keys, more rows, and a malformed one."""
    for table in TABLES:
        rows = [*generated(table, _day_before(date), 0.006), b"so much,the worse\n"]
        _put(files, f"shop/{_day_before(date)}/{table}.csv", rows)


def week_emptied(*, date: str, files: str, postgres: str) -> None:
    """Nothing happened in the week."""
    for table, columns in TABLES.items():
        _put(files, f"shop/{_day_before(date)}/{table}.csv", [",".join(columns).encode() + b"\n"])


def log_grown(*, date: str, files: str, postgres: str) -> None:
    """One log has twice as many entries."""
    lines = [*generate_log("mainApp", _day_before(date), 100), *generate_log("mainApp", _day_before(date), 101)]
    _put(files, f"logs/{_day_before(date)}/mainApp.log", lines)


def log_replaced(*, date: str, files: str, postgres: str) -> None:
    """One log is another one's, and another is in no format."""
    _put(files, f"logs/{_day_before(date)}/timeApp.log", generate_log("bridgeApp", _day_before(date), 50))
    _put(files, f"logs/{_day_before(date)}/mainApp.log", [b"?\n" * 20])


def log_emptied(*, date: str, files: str, postgres: str) -> None:
    """One app has logged nothing."""
    _put(files, f"logs/{_day_before(date)}/daemonApp.log", [])


def _day_before(date: str) -> str:
    return (datetime.date.fromisoformat(date) - datetime.timedelta(days=1)).isoformat()


def _put(files: str, name: str, pieces: Iterable[bytes]) -> None:
    """Put a file where it goes before what the source has."""
    path = Path(files, "inbox", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(pieces))


def _path(date: str, files: str) -> Path:
    return Path(files, "raw", "users", date, "users.csv")


def _read(date: str, files: str) -> list[list[str]]:
    with _path(date, files).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def _write(date: str, files: str, rows: list[list[str]]) -> None:
    with _path(date, files).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
