"""Read a log entry by entry: a stack trace stays with the line that it belongs to, and no line is lost.

An empty log is that of an app which had nothing to say, and no broken one.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from etl.errors import TruncatedFileError
from etl.logs.formats import Head, read_head

# An entry may not grow without bound, and a line neither.
MAX_LINE_BYTES = 1 << 20
MAX_ENTRY_LINES = 1_000
MAX_ENTRY_CHARACTERS = 1 << 20

_GZIP = b"\x1f\x8b"
_CONTINUES = re.compile(
    r"\s|at |\.\.\. \d+ |Caused by: |Suppressed: |Traceback \(most recent call last\)|During handling of the above |"
    r"The above exception was |(?:[\w$]+\.)*[A-Z][\w$]*(?:Error|Exception|Warning|Throwable|Interrupt|Exit)(?::|$)"
)


class Entry(NamedTuple):
    """One entry of a log.

    Attributes:
        line: The number of its first line, from 1.
        lines: How many lines it has; those of all entries add up to those of the file.
        head: What its first line says, or None where that is in no known format: it is kept in `text` all the same.
        text: Its message, or the line as it is where there is no head.
        trace: The lines that follow, joined by line feeds.
    """

    line: int
    lines: int
    head: Head | None
    text: str
    trace: str


class Summary(NamedTuple):
    """What is in a log: `levels` and `apps` count entries that have one, `traces` those with further lines."""

    lines: int
    entries: int
    unparsed: int
    traces: int
    levels: Counter[str]
    apps: Counter[str]


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[BinaryIO]:
    """Open a log for reading, unpacked if it is packed with gzip, whatever its name.

    Raises:
        TruncatedFileError: what is read is packed, and cut or damaged.
    """
    with path.open("rb") as file, unpacked(file, path.name) as log:
        yield log


@contextlib.contextmanager
def unpacked(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Read a file from its beginning, unpacked if it is packed with gzip.

    Raises:
        TruncatedFileError: what is read is packed, and cut or damaged; the message calls it `name`.
    """
    file.seek(0)
    packed = file.read(2) == _GZIP
    file.seek(0)
    try:
        yield cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TruncatedFileError(f"{name} is cut or damaged: {error}.") from error


def parse_log(file: BinaryIO, day: datetime.date) -> Iterator[Entry]:
    r"""Yield the entries of a log in order. Memory stays flat.

    A line that begins an entry in any of the known formats does so here. One that looks like a part of a stack trace,
    or is indented or blank, goes to the entry before. Any other is an entry of its own without a head. What is not
    UTF-8 shows as `\xff`. A line of more than 1 MiB is taken in pieces, and what goes beyond 1,000 lines or 1 MiB of
    one entry is a new one without a head.

    Args:
        file: The log, open for reading bytes.
        day: The day that the log is about or fetched on; it tells the year where the log does not.
    """
    held: _Held | None = None
    for number, line in _lines(file):
        head = read_head(line, day)
        if held and head is None and held.takes(line):
            held.add(line)
            continue
        if held:
            yield held.entry()
        held = _Held(number, head, line)
    if held:
        yield held.entry()


def summarise(entries: Iterable[Entry]) -> Summary:
    """Count what is in a log."""
    lines = total = unparsed = traces = 0
    levels: Counter[str] = Counter()
    apps: Counter[str] = Counter()
    for entry in entries:
        total += 1
        lines += entry.lines
        traces += bool(entry.trace)
        if entry.head is None:
            unparsed += 1
            continue
        if entry.head.level:
            levels[entry.head.level] += 1
        if entry.head.app:
            apps[entry.head.app] += 1
    return Summary(lines, total, unparsed, traces, levels, apps)


class _Held:
    """The entry that further lines may belong to."""

    __slots__ = ("_characters", "_head", "_line", "_number", "_open", "_trace")

    def __init__(self, number: int, head: Head | None, line: str) -> None:
        self._number = number
        self._head = head
        self._line = line
        self._trace: list[str] = []
        self._characters = 0
        self._open = _opens(line)

    def takes(self, line: str) -> bool:
        """Tell whether a line without a head belongs to this entry."""
        if len(self._trace) >= MAX_ENTRY_LINES - 1 or self._characters >= MAX_ENTRY_CHARACTERS:
            return False
        return self._open or not line or _CONTINUES.match(line) is not None

    def add(self, line: str) -> None:
        self._trace.append(line)
        self._characters += len(line)
        # A Python traceback ends with the first line that is not indented.
        self._open = _opens(line) or (self._open and (not line or line[0].isspace()))

    def entry(self) -> Entry:
        trace = "\n".join(self._trace)
        if self._head is None:
            return Entry(self._number, 1 + len(self._trace), None, self._line, trace)
        if self._head.trace:
            trace = f"{self._head.trace}\n{trace}" if trace else self._head.trace
        return Entry(self._number, 1 + len(self._trace), self._head, self._head.message, trace)


def _opens(line: str) -> bool:
    return line.lstrip().startswith("Traceback (most recent call last)")


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, decoded and without their ends."""
    pieces = iter(functools.partial(file.readline, MAX_LINE_BYTES), b"")
    for number, piece in enumerate(pieces, 1):
        yield number, piece.decode("utf-8", "backslashreplace").rstrip("\r\n")
