"""Parse the landed logs of a day into `log_staged`: its exceptions, and the lines that are in no known format."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from etl.arrow import text_array
from etl.errors import InputError, MissingFileError
from etl.load import load_partition
from etl.logs.formats import Head
from etl.logs.land import raw_log
from etl.logs.parse import Entry
from etl.logs.read import engine_ready, read_log
from etl.logs.settings import LogSettings
from etl.paths import check_date

NO_LEVEL = "none"

_TABLES = Path(__file__).parents[1] / "sql" / "logs" / "tables.sql"
_STAGED = ("log_staged", "log_staged_files")
_BATCH_ROWS = 1 << 10
_BATCH_CHARACTERS = 1 << 22
_COLUMNS = ("app", "line", "lines", "level", "logger", "time", "message", "trace", "fingerprint")
_FILE_COLUMNS = ("app", "lines", "entries", "other_days", "levels")
_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")


def create_tables(connection: psycopg.Connection[Any]) -> None:
    """Make the tables that are not there yet; two who do so at once take turns."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('etl/sql/logs/tables.sql', 0))")
        connection.execute(_TABLES.read_bytes())


def drop_staged(ds: str, connection: psycopg.Connection[Any]) -> None:
    """Remove what an earlier run of a day has staged; the tables need not be there yet.

    What it has published stays until the new result takes its place: a reader sees the one or the other.
    """
    with connection.transaction():
        if connection.execute("SELECT FROM pg_class WHERE oid = to_regclass('log_staged_files')").rowcount:
            for table in _STAGED:
                connection.execute(f"DELETE FROM {table} WHERE dt = %s", [check_date(ds)])  # noqa: S608 - our own names


def stage_logs(
    ds: str, settings: LogSettings, connection: psycopg.Connection[Any], engine: str = "pandas"
) -> dict[str, int]:
    """Parse the landed logs of a day and make that the day's staged rows, in one transaction. Memory stays flat.

    With the engine `spark`, Spark parses them; the rows are the same.

    Returns:
        How many lines each app's log has.

    Raises:
        InputError: a log has not been landed.
        SettingsError: the engine is `spark`, and Spark cannot be started.
    """
    day = datetime.date.fromisoformat(check_date(ds))
    files: list[tuple[str | None, ...]] = []
    with connection.transaction(), engine_ready(engine):
        rows = _rows(ds, day, settings, files, engine)
        load_partition(connection, "log_staged", column="dt", value=day, rows=_batches(rows))
        load_partition(connection, "log_staged_files", column="dt", value=day, rows=[_batch(_FILE_COLUMNS, files)])
    return {str(file[0]): int(file[1] or 0) for file in files}


def fingerprint(entry: Entry) -> str:
    """Return what entries share that differ in their numbers only: those of one logger, level, text and trace."""
    assert entry.head
    parts = (entry.head.app or "", entry.head.level or "", *(_NUMBERS.sub("#", t) for t in (entry.text, entry.trace)))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _rows(
    ds: str, day: datetime.date, settings: LogSettings, files: list[tuple[str | None, ...]], engine: str
) -> Iterator[tuple[str | None, ...]]:
    """Yield the rows of all apps; of each, append what its log holds to `files`."""
    storage = settings.files
    with contextlib.ExitStack() as stack:
        for app in settings.apps:
            try:
                path = stack.enter_context(storage.local(raw_log(app, ds)))
            except MissingFileError:
                raise InputError(
                    f"{raw_log(app, ds)} has not been landed; clear download_{app} and what comes after it."
                ) from None
            yield from _rows_of(app, path, day, settings.of_one_day, files, engine)
            stack.pop_all().close()  # a copy of one log at a time


def _rows_of(
    app: str, path: Path, day: datetime.date, of_one_day: bool, files: list[tuple[str | None, ...]], engine: str
) -> Iterator[tuple[str | None, ...]]:
    lines = others = 0
    levels: Counter[str] = Counter()
    current = True
    for entry in read_log(path, day, engine):
        lines += entry.lines
        if not of_one_day:
            current = _is_of(day, entry.head, current)
        if not current:
            others += 1
        elif entry.head is None:
            yield _row(app, entry, None)
        else:
            level = entry.head.level or NO_LEVEL
            levels[level] += 1
            if level in ("error", "critical") or entry.trace:
                yield _row(app, entry, fingerprint(entry))
    files.append((app, str(lines), str(levels.total()), str(others), json.dumps(levels, sort_keys=True)))


def _is_of(day: datetime.date, head: Head | None, before: bool) -> bool:
    """Tell whether an entry is of a day; one that does not tell its time is of the day of the one before."""
    if head is None or head.time is None:
        return before
    time = head.time.astimezone(datetime.timezone.utc) if head.time.tzinfo else head.time
    return time.date() == day


def _row(app: str, entry: Entry, key: str | None) -> tuple[str | None, ...]:
    head = entry.head
    time = None
    if head and head.time:
        time = (head.time if head.time.tzinfo else head.time.replace(tzinfo=datetime.timezone.utc)).isoformat()
    level = (head.level or NO_LEVEL) if head else None
    logger = _storable(head.app) if head and head.app else None
    return (
        app,
        str(entry.line),
        str(entry.lines),
        level,
        logger,
        time,
        _storable(entry.text),
        _storable(entry.trace),
        key,
    )


def _storable(text: str) -> str:
    """Return a text as PostgreSQL can store it: no NUL, and no halves of characters, which JSON may have."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "backslashreplace").decode()


def _batches(rows: Iterator[tuple[str | None, ...]]) -> Iterator[pa.RecordBatch]:
    held: list[tuple[str | None, ...]] = []
    characters = 0
    for row in rows:
        held.append(row)
        characters += len(row[6] or "") + len(row[7] or "")
        if len(held) == _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield _batch(_COLUMNS, held)
            held, characters = [], 0
    if held:
        yield _batch(_COLUMNS, held)


def _batch(names: tuple[str, ...], rows: list[tuple[str | None, ...]]) -> pa.RecordBatch:
    """Return rows of text, which COPY reads as whatever type a column has."""
    return pa.record_batch([text_array(column) for column in zip(*rows, strict=True)], names=list(names))
