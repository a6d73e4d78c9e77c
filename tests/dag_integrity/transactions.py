"""How a day's transactions may be corrected in the lake, before their first run or after it.

Rows are as the generator makes them, so that each of these leaves the same file whatever is there.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from etl.transactions.generator import generate_transactions
from etl.transactions.process import transactions_file


def rows_removed(*, date: str, files: str, postgres: str) -> None:
    """Every third transaction is gone."""
    header, *rows = _made_up(date)
    _land(date, files, [header, *(row for number, row in enumerate(rows) if number % 3)])


def rows_changed(*, date: str, files: str, postgres: str) -> None:
    """The first transaction was dearer."""
    header, first, *rows = _made_up(date)
    fields = first.split(",")
    _land(date, files, [header, ",".join([*fields[:3], "99999.00", *fields[4:]]), *rows])


def file_cut_off(*, date: str, files: str, postgres: str) -> None:
    """The last line is not whole."""
    rows = _made_up(date)
    _land(date, files, [*rows[:-1], rows[-1][:10]])


def _day(date: str) -> str:
    """The day that the run of a date is about."""
    return (datetime.date.fromisoformat(date) - datetime.timedelta(days=1)).isoformat()


def _made_up(date: str) -> list[str]:
    return b"".join(generate_transactions(_day(date), 10)).decode().splitlines(keepends=True)


def _land(date: str, files: str, rows: list[str]) -> None:
    path = Path(files, "lake", transactions_file(_day(date)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(rows), encoding="utf-8")
