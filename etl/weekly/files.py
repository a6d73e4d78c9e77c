"""A week's three files: where they come from, what is in them, and which of their rows can be loaded.

A header without rows is a week in which nothing came; a file without a header is a broken one.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from etl.download import download
from etl.errors import HeaderError, SettingsError, SourceUnavailableError
from etl.paths import check_date
from etl.records import Record, read_records
from etl.shop.dirt import Row, landed
from etl.shop.load import as_csv
from etl.shop.rows import customers, orders, products
from etl.shop.size import Shop, scaled
from etl.weekly.settings import MAX_TEXT_BYTES, WeekSettings

TABLES: Mapping[str, Mapping[str, str]] = {
    "customers": {"customer_id": "id", "name": "text", "email": "text", "country": "text", "signup_date": "day"},
    "products": {"product_id": "id", "name": "text", "category": "text", "price": "amount"},
    "orders": {"order_id": "id", "customer_id": "id", "product_id": "id", "order_date": "day", "status": "text"}
    | {"quantity": "count", "unit_price": "amount", "discount": "amount", "total": "amount"},
}
"""The columns of each file, which are those of its raw table, and what is in them; the first column is the key."""

_DIRT = 0.02
_FIRST_WEEK = "2026-01-03"  # the generator's: it has all that was there before
_ATTEMPTS = 4


class Checked(NamedTuple):
    """A row of a file: its values as the raw table takes them, or what is wrong with it."""

    record: Record
    values: tuple[str | None, ...]
    problem: str | None


def raw_file(table: str, ds: str) -> str:
    """Return the name of the landed file of a table, of the week that ends on a day."""
    return f"raw/shop/{check_date(ds)}/{table}.csv"


def land(table: str, ds: str, settings: WeekSettings) -> str:
    """Land a file of a week, unchanged, and return its name; it appears whole or not at all.

    Raises:
        SourceUnavailableError, MissingFileError: the source does not have it (yet), does not answer, or broke off.
        StorageError: it cannot be written.
    """
    name = raw_file(table, ds)
    with source(table, ds, settings) as file, settings.files.writing(name) as copy:
        shutil.copyfileobj(file, copy)
    return name


@contextlib.contextmanager
def source(table: str, ds: str, settings: WeekSettings) -> Iterator[BinaryIO]:
    """Open a file of a week where it comes from.

    A file `inbox/shop/{ds}/{table}.csv` of the storage is taken instead of the source's: that is how a week is put
    right by hand.

    Raises:
        SourceUnavailableError, MissingFileError: the source does not have it (yet), does not answer, or broke off.
        StorageError: the storage does not answer.
    """
    files, corrected = settings.files, f"inbox/shop/{check_date(ds)}/{table}.csv"
    place = settings.source.replace("{table}", table).replace("{ds}", ds)
    with contextlib.ExitStack() as stack:
        if files.exists(corrected):
            yield stack.enter_context(stack.enter_context(files.local(corrected)).open("rb"))
        elif place.startswith("s3://"):
            bucket, _, name = place.removeprefix("s3://").partition("/")
            path = stack.enter_context(settings.opened(f"s3://{bucket}").local(name))
            yield stack.enter_context(path.open("rb"))
        elif settings.factor is not None or place.startswith("http"):
            made = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))
            if settings.factor is None:
                download(place, made, timeout=settings.http_timeout, attempts=_ATTEMPTS)
            else:
                made.writelines(generated(table, ds, settings.factor))
            made.seek(0)
            yield made
        else:
            yield stack.enter_context(_opened(Path(_path(place))))


def generated(table: str, ds: str, factor: float) -> Iterator[bytes]:
    """Yield the made-up file of a table, of the week that ends on a day, in pieces: a header, and what came that week.

    Raises:
        SettingsError: nothing is left of a shop so small.
    """
    try:
        shop = scaled(factor, _DIRT)
    except ValueError as error:
        raise SettingsError(f"SHOP_SOURCE is 'generator:{factor:g}': {error}") from error
    last = datetime.date.fromisoformat(ds)
    first = datetime.date.min if ds <= _FIRST_WEEK else last - datetime.timedelta(days=6)
    kinds: Mapping[str, Callable[[Shop], Iterator[Row]]] = {
        "customers": customers,
        "products": products,
        "orders": orders,
    }
    yield ",".join(TABLES[table]).encode() + b"\n"
    yield from as_csv(row.values for row in landed(kinds[table](shop), shop.dirt) if first <= row.dt <= last)


def check_file(file: BinaryIO, table: str, name: str, max_text: int = MAX_TEXT_BYTES) -> Iterator[Checked]:
    """Yield the rows of a file, those that cannot be loaded with what is wrong with them. Memory stays flat.

    A text of more than `max_text` bytes cannot be loaded: the index of a base table has no room for it.

    Raises:
        InputError: the file is bad as a whole: empty, cut, not UTF-8, or with another header.
    """
    columns = TABLES[table]
    records = read_records(file, name)
    header = next(records)
    if header.fields != list(columns):
        raise HeaderError(f"{name} has the wrong header {header.raw[:200]!r}; expected {','.join(columns)}.")
    parsers = [_PARSERS[kind] for kind in columns.values()]
    for record in records:
        yield _checked(record, list(columns), parsers, max_text)


def _checked(record: Record, columns: list[str], parsers: list[Callable[[str], object]], max_text: int) -> Checked:
    if record.problem:
        return Checked(record, (), record.problem)
    if len(record.fields) != len(columns):
        return Checked(record, (), f"{len(record.fields)} fields where the header has {len(columns)}")
    for column, parser, field in zip(columns, parsers, record.fields, strict=True):
        if field is not None and len(field) * 4 > max_text and len(field.encode()) > max_text:
            size = len(field.encode())
            return Checked(record, (), f"{column} has {size:,} bytes, more than the {max_text:,} of SHOP_MAX_TEXT")
        if field is not None and not parser(field):
            return Checked(record, (), f"{column} {field[:40]!r} is not what it should be")
    return Checked(record, tuple(record.fields), None)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceUnavailableError(f"The week's file {path} cannot be read: {error.strerror}.") from error


def _path(place: str) -> str:
    return urllib.request.url2pathname(urllib.parse.urlsplit(place).path) if "://" in place else place


@functools.lru_cache(maxsize=4096)  # rows of one day come together
def _is_day(field: str) -> bool:
    try:
        return bool(_DAY.fullmatch(field)) and datetime.date.fromisoformat(field) > datetime.date.min
    except ValueError:
        return False


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARSERS: Mapping[str, Callable[[str], object]] = {
    "id": re.compile(r"-?[0-9]{1,18}").fullmatch,
    "count": re.compile(r"-?[0-9]{1,9}").fullmatch,
    "amount": re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,6})?").fullmatch,
    "text": lambda field: "\0" not in field,
    "day": _is_day,
}
