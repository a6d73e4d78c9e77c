"""Users: check and type the raw file of a date, stage it, load it.

A users file is CSV (see `etl.records`) whose header names `id` and `name`, and
any of `email`, `country` and `signup_date`, in any order. There is no day without
users: a header without rows is a broken file, as is one without a header. A column that is not
there is NULL. Values are trimmed. A blank unquoted field is NULL, a quoted one
is the empty string. `id` must be there and fit into 64 bits.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.arrow import text_array
from etl.errors import EmptyFileError, HeaderError, TooManyBadRowsError, TransientError
from etl.files import atomic_write
from etl.load import load_partition
from etl.paths import raw_users, staged_users
from etl.records import Record, read_records
from etl.settings import Settings

REQUIRED = ("id", "name")
OPTIONAL = ("email", "country", "signup_date")
COLUMNS = (*REQUIRED, *OPTIONAL)

# Good and rejected rows share one file, so that no crash can leave the one without the other.
STAGING_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("email", pa.string()),
        ("country", pa.string()),
        ("signup_date", pa.date32()),
        ("dt", pa.date32()),
        ("line", pa.int64()),
        ("rejected_reason", pa.string()),
        ("rejected_raw", pa.string()),
    ]
)

_BATCH_ROWS = 1 << 14
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Staged(NamedTuple):
    """How many rows a transformed or loaded file has of each kind."""

    users: int
    rejected: int


class _BadValueError(Exception):
    """A value makes its row malformed; the message is the reason."""


def transform_users(ds: str, settings: Settings) -> Staged:
    """Check and type the raw users file of a date and stage it as Parquet, with `dt` added.

    A malformed row is staged along with its line, the reason and its raw text. The
    staging file appears whole or not at all. Memory stays flat: at most 16,384 rows
    are held at once.

    Returns:
        The number of good and of rejected rows.

    Raises:
        TransientError: there is no raw file.
        InputError: the file is empty, not UTF-8, truncated, has a wrong header or too many malformed rows.
    """
    name = raw_users(ds).as_posix()
    source = settings.data_root / raw_users(ds)
    if not source.is_file():
        raise TransientError(f"{name} does not exist under DATA_ROOT; the producer writes it.")
    with source.open("rb") as raw, atomic_write(settings.data_root / staged_users(ds)) as staged:
        tally = _Tally(name)
        rows = (_row(result, ds) for result in tally.watch(_check(read_records(raw, name), name)))
        with pq.ParquetWriter(staged, STAGING_SCHEMA, compression="zstd") as writer:
            for batch in _batches(rows):
                writer.write_batch(batch)
        return tally.verdict(settings.max_bad_share)


def load_users(ds: str, settings: Settings, connection: psycopg.Connection[Any]) -> Staged:
    """Replace the rows of a date in `users_daily` and `users_rejected` by the staged ones, in one transaction.

    Returns:
        The number of rows loaded into each table.

    Raises:
        TransientError: there is no staging file.
        DuplicateKeyError: an id is there twice. Both tables are as they were before.
        LoadError: the database refused the rows. Both tables are as they were before.
    """
    path = settings.data_root / staged_users(ds)
    if not path.is_file():
        name = staged_users(ds).as_posix()
        raise TransientError(f"{name} does not exist under DATA_ROOT; transform_users writes it.")
    dt = datetime.date.fromisoformat(ds)
    with connection.transaction():
        users = load_partition(connection, "users_daily", column="dt", value=dt, rows=_staged_users(path))
        rejected = load_partition(
            connection, "users_rejected", column="dt", value=dt, rows=_staged_rejects(path, raw_users(ds).as_posix())
        )
    return Staged(users, rejected)


class _Result(NamedTuple):
    """A record with its checked values, each written as its type has it, or with the reason that it has none."""

    record: Record
    values: dict[str, str | None]
    reason: str | None


class _Tally:
    """Counts the rows that pass by and judges the file in the end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._good = self._bad = 0
        self._first_bad: _Result | None = None

    def watch(self, results: Iterable[_Result]) -> Iterator[_Result]:
        for result in results:
            if result.reason is None:
                self._good += 1
            else:
                self._bad += 1
                self._first_bad = self._first_bad or result
            yield result

    def verdict(self, max_bad_share: float) -> Staged:
        total = self._good + self._bad
        if total == 0:
            raise EmptyFileError(f"{self._name} is empty: it holds a header and no row.")
        if self._first_bad and self._bad > max_bad_share * total:
            raise TooManyBadRowsError(
                f"{self._name} has {self._bad:,} malformed rows of {total:,}, more than the share of "
                f"{max_bad_share:g} that USERS_MAX_BAD_SHARE allows; "
                f"the first is line {self._first_bad.record.line}: {self._first_bad.reason}."
            )
        return Staged(self._good, self._bad)


def _check(records: Iterator[Record], name: str) -> Iterator[_Result]:
    header: list[str] | None = None
    for record in records:
        if header is None:
            header = _header(record, name)
        else:
            yield _typed(record, header)


def _header(record: Record, name: str) -> list[str]:
    names = [(field or "").strip() for field in record.fields]
    known = set(names) <= set(COLUMNS) and set(REQUIRED) <= set(names)
    if record.problem or not known or len(set(names)) != len(names):
        raise HeaderError(
            f"{name} has the wrong header {record.raw[:200]!r}; expected {', '.join(REQUIRED)} "
            f"and any of {', '.join(OPTIONAL)}, each once."
        )
    return names


def _typed(record: Record, header: list[str]) -> _Result:
    if record.problem:
        return _Result(record, {}, record.problem)
    if len(record.fields) != len(header):
        return _Result(record, {}, f"{len(record.fields)} fields where the header has {len(header)}")
    try:
        return _Result(record, {c: _PARSERS[c](f) for c, f in zip(header, record.fields, strict=True)}, None)
    except _BadValueError as error:
        return _Result(record, {}, str(error))


def _id(field: str | None) -> str:
    text = (field or "").strip()
    if not text:
        raise _BadValueError("id is missing")
    if not _INTEGER.fullmatch(text):
        raise _BadValueError(f"id {_shown(text)} is not an integer")
    # Python refuses to convert thousands of digits, so look at the length first.
    digits = text.lstrip("+-").lstrip("0")
    number = int(digits or "0") * (-1 if text[0] == "-" else 1) if len(digits) <= 19 else None
    if number is None or not -(2**63) <= number < 2**63:
        raise _BadValueError(f"id {_shown(text)} does not fit into 64 bits")
    return str(number)


def _text(column: str) -> Callable[[str | None], str | None]:
    def parse(field: str | None) -> str | None:
        if field is None:
            return None
        if "\0" in field:
            raise _BadValueError(f"{column} holds a NUL character, which PostgreSQL cannot store")
        return field.strip()

    return parse


def _date(field: str | None) -> str | None:
    text = (field or "").strip()
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _BadValueError(f"signup_date {_shown(text)} is not a date written YYYY-MM-DD")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


_PARSERS: dict[str, Callable[[str | None], str | None]] = {
    "id": _id,
    "name": _text("name"),
    "email": _text("email"),
    "country": _text("country"),
    "signup_date": _date,
}


def _row(result: _Result, ds: str) -> tuple[str | None, ...]:
    """Return a row of `STAGING_SCHEMA`, still as text."""
    values = [result.values.get(column) for column in COLUMNS]
    # PostgreSQL stores no NUL: what stands for it is the sign that pictures it.
    raw = None if result.reason is None else result.record.raw.replace("\0", "\N{SYMBOL FOR NULL}")
    reason = result.reason and result.reason.replace("\0", "\N{SYMBOL FOR NULL}")
    return (*values, ds, str(result.record.line), reason, raw)


def _batches(rows: Iterable[tuple[str | None, ...]]) -> Iterator[pa.RecordBatch]:
    held: list[tuple[str | None, ...]] = []
    for row in rows:
        held.append(row)
        if len(held) == _BATCH_ROWS:
            yield _batch(held)
            held.clear()
    if held:
        yield _batch(held)


def _batch(rows: list[tuple[str | None, ...]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [text_array(column).cast(kind) for column, kind in zip(columns, STAGING_SCHEMA.types, strict=True)]
    return pa.record_batch(arrays, schema=STAGING_SCHEMA)


def _staged_users(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=[*COLUMNS, "dt", "rejected_reason"]):
            yield batch.filter(pc.is_null(batch["rejected_reason"])).select([*COLUMNS, "dt"])


def _staged_rejects(path: Path, name: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=["dt", "line", "rejected_reason", "rejected_raw"]):
            bad = batch.filter(pc.is_valid(batch["rejected_reason"]))
            columns = [text_array([name] * bad.num_rows), *bad.columns]
            yield pa.record_batch(columns, ["file", "dt", "line", "reason", "raw"])
