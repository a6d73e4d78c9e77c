"""Split a CSV file into records that know their line, their raw text and which fields were quoted.

The standard library's reader tells neither `,,` from `,"",` nor a record's
first line, and hides malformed quoting. The dialect is RFC 4180: comma, double
quote, doubled quotes inside quotes, UTF-8 (a byte order mark is skipped), lines
ended by LF or CRLF, the last one too.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from etl.errors import EmptyFileError, EncodingError, TruncatedFileError
from etl.settings import max_record_bytes

# One record may not grow without bound: an unclosed quote would swallow the rest of a large file.
MAX_RECORD_BYTES = 1 << 24

_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')
_REST_OF_QUOTED = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')
_BARE = re.compile(r'[^",\r\n]*')


class Record(NamedTuple):
    """One record.

    Attributes:
        line: Number of its first physical line, from 1.
        raw: Its text as it stands in the file, without the line end.
        fields: Its fields; None stands for one that is blank and unquoted. Empty where the record is malformed.
        problem: What makes the record malformed, or None.
    """

    line: int
    raw: str
    fields: list[str | None]
    problem: str | None = None


def read_records(file: BinaryIO, name: str) -> Iterator[Record]:
    """Yield the records of a file, one at a time; blank lines are passed over.

    A file without any record is broken, whatever it is about: it lacks its header. What a header without rows means is
    for each source to say.

    Args:
        file: The file, open for reading bytes.
        name: How errors call it.

    Raises:
        EmptyFileError: the file holds no bytes, or nothing but blank lines.
        EncodingError: some bytes are not UTF-8.
        TruncatedFileError: the last line has no line end, a quoted field is never closed, or a record is longer than
            `CSV_MAX_RECORD_BYTES`.
        SettingsError: that variable's value means nothing.
    """
    lines = _Lines(file, name, max_record_bytes(MAX_RECORD_BYTES))
    is_empty = True
    for text in lines:
        if '"' in text:
            is_empty = False
            yield _Scan(text, lines).record()
        elif raw := _without_line_end(text):
            is_empty = False
            yield _unquoted_record(lines.number, raw)
    if is_empty:
        raise EmptyFileError(f"{name} is empty: it holds {'blank lines only' if lines.size else 'no bytes'}.")


class _Lines:
    """The physical lines of a file, decoded, with their line ends; `number` counts those read."""

    def __init__(self, file: BinaryIO, name: str, most: int) -> None:
        self._file = file
        self.name = name
        self.most = most
        self.number = 0
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        while line := self.read():
            yield line

    def read(self) -> str:
        """Return the next line, or an empty string at the end of the file."""
        data = self._file.readline(self.most + 1)
        if not data:
            return ""
        self.number += 1
        if self.number == 1:
            data = self._without_mark(data)
        self.size += len(data)
        text = self._decode(data)
        if len(data) > self.most:
            raise TruncatedFileError(f"{self.name} is cut or no CSV: line {self.number} does not end {self.within}.")
        if self.size and not text.endswith("\n"):
            raise TruncatedFileError(f"{self.name} is truncated: its last line, {self.number}, has no line end.")
        return text

    @property
    def within(self) -> str:
        """How long a record may be, in words."""
        return f"within the {self.most:,} bytes that CSV_MAX_RECORD_BYTES allows"

    def _without_mark(self, data: bytes) -> bytes:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise EncodingError(f"{self.name} is not UTF-8: it starts with the byte order mark of UTF-16.")
        return data.removeprefix(codecs.BOM_UTF8)

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                # Cut inside a character: the cut is the news, not the encoding.
                return data[: error.start].decode()
            raise EncodingError(
                f"{self.name} is not UTF-8: byte 0x{data[error.start]:02x} on line {self.number}."
            ) from error


def _unquoted_record(line: int, raw: str) -> Record:
    if "\r" in raw:
        return Record(line, raw, [], "a carriage return without a line feed")
    return Record(line, raw, [field if field.strip() else None for field in raw.split(",")])


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


class _Scan:
    """One record that holds a quote, read field by field; it may go on over several lines."""

    def __init__(self, first: str, lines: _Lines) -> None:
        self._text = first
        self._lines = lines
        self._line = lines.number
        self._at = 0

    def record(self) -> Record:
        fields: list[str | None] = []
        while True:
            fields.append(self._field())
            if self._text.startswith(("\n", "\r\n"), self._at):
                return Record(self._line, _without_line_end(self._text), fields)
            if self._text[self._at] != ",":
                return Record(self._line, _without_line_end(self._text), [], self._problem())
            self._at += 1

    def _field(self) -> str | None:
        if self._text[self._at] == '"':
            return self._quoted_field()
        match = _BARE.match(self._text, self._at)
        assert match  # an empty match is one
        self._at = match.end()
        return match[0] if match[0].strip() else None

    def _quoted_field(self) -> str:
        match = _QUOTED.match(self._text, self._at)
        if match is None:
            self._text += self._rest_of_quoted_field()
            match = _QUOTED.match(self._text, self._at)
            assert match  # the rest ends with the line of the closing quote
        self._at = match.end()
        return match[1].replace('""', '"')

    def _rest_of_quoted_field(self) -> str:
        """Return the lines up to the one that closes the open field; each is looked at once."""
        opened, size, pieces = self._lines.number, 0, []
        while size <= self._lines.most and (line := self._lines.read()):
            pieces.append(line)
            size += len(line)
            if _REST_OF_QUOTED.match(line):
                return "".join(pieces)
        end = self._lines.within if size > self._lines.most else "before the file ends"
        raise TruncatedFileError(
            f"{self._lines.name} is truncated: the quoted field that starts on line {opened} is not closed {end}."
        )

    def _problem(self) -> str:
        if self._text[self._at] == "\r":
            return "a carriage return without a line feed"
        if self._text[self._at] == '"':
            return "a quote inside an unquoted field"
        return "text after a closing quote"
