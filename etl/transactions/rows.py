"""Check and type the transactions file of a date.

It is CSV (see `etl.records`) whose header names the columns of `COLUMNS`, in any order. A header without rows is a day
without transactions, which there may be; a file without a header is a broken one. A malformed row is kept aside
with its line and the reason; so is one whose transaction has been there already, or belongs to another day.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from etl.arrow import text_array
from etl.errors import HeaderError, TooManyBadRowsError
from etl.records import Record, read_records

COLUMNS = (
    "transaction_id", "customer_id", "happened_at", "amount", "currency", "channel", "country", "home_country",
)  # fmt: skip
CHANNELS = ("app", "phone", "shop", "web")

_SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
_REJECTED_SCHEMA = pa.schema([(name, pa.string()) for name in ("line", "reason", "raw")])
_REJECTED_ROWS = 1 << 12
# Python reads more forms, and each version others.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{3}|\.\d{6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)


class Counts(NamedTuple):
    """How many rows of a file are good, and how many malformed."""

    good: int
    bad: int


class _BadValueError(Exception):
    """A value makes its row malformed; the message is the reason."""


def stage(
    file: BinaryIO, name: str, ds: str, good: BinaryIO, bad: BinaryIO, *, batch_rows: int, max_bad_share: float
) -> Counts:
    """Check the transactions file of a date, called `name` in errors, and write what it holds as Parquet.

    The good rows go into `good`, a row group for each batch, and what is malformed into `bad`. Memory stays flat, but
    for the ids of the transactions.

    Raises:
        InputError: the file is empty, not UTF-8, cut off, has a wrong header or too many malformed rows.
    """
    with _Table(good, _SCHEMA, batch_rows) as accepted, _Table(bad, _REJECTED_SCHEMA, _REJECTED_ROWS) as rejected:
        first = ""
        for record, values, reason in _checked(file, name, ds):
            if values is not None:
                accepted.add(values)
                continue
            first = first or f"line {record.line}: {reason}"
            rejected.add((str(record.line), _printable(reason), _printable(record.raw)))
    if rejected.rows > max_bad_share * (accepted.rows + rejected.rows):
        raise TooManyBadRowsError(
            f"{name} has {rejected.rows:,} malformed rows of {accepted.rows + rejected.rows:,}, more than the share of "
            f"{max_bad_share:g} that TRANSACTIONS_MAX_BAD_SHARE allows; the first is {first}."
        )
    return Counts(accepted.rows, rejected.rows)


class _Table:
    """A Parquet file of text in the making, a row group every so many rows."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, group_rows: int) -> None:
        self.rows = 0
        self._schema, self._group_rows = schema, group_rows
        self._held: list[tuple[str, ...]] = []
        self._writer = pq.ParquetWriter(file, schema)

    def __enter__(self) -> _Table:
        return self

    def __exit__(self, *error: object) -> None:
        self._write()
        self._writer.close()

    def add(self, row: tuple[str, ...]) -> None:
        self.rows += 1
        self._held.append(row)
        if len(self._held) == self._group_rows:
            self._write()

    def _write(self) -> None:
        if self._held:
            columns = [text_array(values) for values in zip(*self._held, strict=True)]
            self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
            self._held.clear()


def _checked(file: BinaryIO, name: str, ds: str) -> Iterator[tuple[Record, tuple[str, ...] | None, str]]:
    """Yield each record with its values, or None for these and the reason."""
    header: list[str] | None = None
    seen: dict[str, int] = {}
    for record in read_records(file, name):
        if header is None:
            header = _header(record, name)
            continue
        try:
            values = _typed(record, header, ds)
            if values[0] in seen:
                raise _BadValueError(f"transaction_id {_shown(values[0])} is on line {seen[values[0]]} already")
        except _BadValueError as error:
            yield record, None, str(error)
        else:
            seen[values[0]] = record.line
            yield record, values, ""


def _header(record: Record, name: str) -> list[str]:
    names = [(field or "").strip() for field in record.fields]
    if record.problem or sorted(names) != sorted(COLUMNS):
        raise HeaderError(
            f"{name} has the wrong header {record.raw[:200]!r}; expected {', '.join(COLUMNS)}, in any order."
        )
    return names


def _typed(record: Record, header: list[str], ds: str) -> tuple[str, ...]:
    """Return the values in the order of `COLUMNS`, each written as its type has it."""
    if record.problem:
        raise _BadValueError(record.problem)
    if len(record.fields) != len(header):
        raise _BadValueError(f"{len(record.fields)} fields where the header has {len(header)}")
    fields = dict(zip(header, record.fields, strict=True))
    values = []
    for column in COLUMNS:
        text = (fields[column] or "").strip()
        if not text:
            raise _BadValueError(f"{column} is missing")
        values.append(_PARSERS[column](column, text))
    if not values[2].startswith(ds):
        raise _BadValueError(f"happened_at {_shown(values[2])} is not on {ds}")
    return tuple(values)


def _matching(pattern: str, what: str) -> Callable[[str, str], str]:
    expression = re.compile(pattern, re.ASCII)

    def parse(column: str, text: str) -> str:
        if not expression.fullmatch(text):
            raise _BadValueError(f"{column} {_shown(text)} is not {what}")
        return text

    return parse


def _moment(column: str, text: str) -> str:
    """Return a time in UTC."""
    if _MOMENT.fullmatch(text):
        with contextlib.suppress(ValueError, OverflowError):
            moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
            return moment.astimezone(datetime.timezone.utc).isoformat()
    raise _BadValueError(f"{column} {_shown(text)} is not a time with its offset, as in ISO 8601")


_COUNTRY = _matching(r"[A-Z]{2}", "a country's two letters")
_PARSERS: dict[str, Callable[[str, str], str]] = {
    "transaction_id": _matching(r"[!-~]{1,64}", "1 to 64 printable characters"),
    "customer_id": _matching(r"[0-9]{1,18}", "a number"),
    "happened_at": _moment,
    "amount": _matching(r"[0-9]{1,10}(\.[0-9]{1,2})?", "an amount of money"),
    "currency": _matching(r"[A-Z]{3}", "a currency's three letters"),
    "channel": _matching("|".join(CHANNELS), f"one of {', '.join(CHANNELS)}"),
    "country": _COUNTRY,
    "home_country": _COUNTRY,
}


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _printable(text: str) -> str:
    """PostgreSQL stores no NUL: what stands for it is the sign that pictures it."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}")
