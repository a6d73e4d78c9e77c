"""A log, parsed by many: cut where an entry begins, so that the pieces give the entries of the whole.

A line with a head begins an entry whatever comes before it (`etl.logs.parse`), so that a cut there changes nothing.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from etl.logs.formats import read_head
from etl.logs.parse import MAX_LINE_BYTES, Entry, open_log, parse_log
from etl.spark.session import spark_session

PIECE_BYTES = 32 << 20


class Piece(NamedTuple):
    """Some of a log: the bytes from `start` up to `end`."""

    path: str
    start: int
    end: int


def parse_with_spark(path: Path, day: datetime.date, *, piece_bytes: int = PIECE_BYTES) -> Iterator[Entry]:
    """Yield the entries of a log in order: those that `etl.logs.parse.parse_log` yields, and no others.

    A packed log cannot be cut, and is parsed here and now.

    Args:
        path: The log, where all workers of Spark find it.
        day: The day that the log is about, as `parse_log` takes it.
        piece_bytes: About how much of it a worker takes at a time.

    Raises:
        SettingsError: Spark cannot be started.
        TruncatedFileError: the log is packed, and cut or damaged.
    """
    if _is_packed(path):
        with open_log(path) as log:
            yield from parse_log(log, day)
        return
    pieces = list(cut(path, day, piece_bytes))
    with spark_session() as (session, _):
        work = session.sparkContext.parallelize(pieces, max(1, len(pieces)))
        lines = work.map(_lines_of).collect()
        first = [0, *accumulate(lines)]
        numbered = session.sparkContext.parallelize(list(zip(pieces, first, strict=False)), max(1, len(pieces)))
        from pyspark import StorageLevel

        entries = numbered.flatMap(functools.partial(_entries_of, day=day)).persist(StorageLevel.DISK_ONLY)
        try:
            entries.count()  # by all workers at once; what follows fetches one piece after another
            yield from entries.toLocalIterator()
        finally:
            entries.unpersist()


def cut(path: Path, day: datetime.date, piece_bytes: int) -> Iterator[Piece]:
    """Yield the pieces of a log, in order; each begins with a line that begins an entry, but for the first."""
    size = path.stat().st_size
    start = 0
    with path.open("rb") as file:
        while start < size:
            end = _next_entry(file, start + piece_bytes, day, size)
            yield Piece(str(path), start, end)
            start = end


def _next_entry(file: BinaryIO, offset: int, day: datetime.date, size: int) -> int:
    """Return where the first entry begins after the line that an offset is in, or the file's size."""
    if offset >= size:
        return size
    file.seek(offset)
    place = offset
    in_line = True
    while line := file.readline(MAX_LINE_BYTES):
        text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if not in_line and read_head(text, day) is not None:
            return place
        # What a long line goes on with is not looked at: it is no line of its own for whoever comes from its beginning.
        in_line = not line.endswith(b"\n")
        place += len(line)
    return size


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


class _Window:
    """Reads a piece as if it were a file."""

    def __init__(self, file: BinaryIO, piece: Piece) -> None:
        self._file = file
        self._left = piece.end - piece.start
        file.seek(piece.start)

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(min(limit, self._left)) if self._left else b""
        self._left -= len(line)
        return line


def _lines_of(piece: Piece) -> int:
    """Count lines as `parse_log` counts them."""
    with Path(piece.path).open("rb") as file:
        window = _Window(file, piece)
        return sum(1 for _ in iter(functools.partial(window.readline, MAX_LINE_BYTES), b""))


def _entries_of(numbered: tuple[Piece, int], day: datetime.date) -> Iterator[Entry]:
    """Yield the entries of a piece, with the numbers that their lines have in the whole log."""
    piece, before = numbered
    with Path(piece.path).open("rb") as file:
        for entry in parse_log(cast("BinaryIO", _Window(file, piece)), day):
            yield entry._replace(line=entry.line + before)
