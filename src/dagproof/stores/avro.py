"""Avro files: what they hold. Sixteen random bytes mark where a block ends, and are drawn anew for each file."""

from __future__ import annotations

import io
from pathlib import Path

_MAGIC = b"Obj\x01"
_MARKER_BYTES = 16
#: A larger file counts with its bytes as they are: it is read at once.
_MOST_BYTES = 256 * 2**20


def begins_like_avro(start: bytes) -> bool:
    """Tell whether a file that starts so may be one."""
    return start.startswith(_MAGIC)


def avro_stream(path: Path) -> io.BytesIO:
    """Return a file with its markers left blank.

    Raises:
        EOFError: it only begins like an Avro file, or is too large.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise EOFError(path)
    content = path.read_bytes()
    at = _end_of_header(content)
    marker = content[at : at + _MARKER_BYTES]
    if len(marker) < _MARKER_BYTES or not content.endswith(marker):
        raise EOFError(path)
    return io.BytesIO(content.replace(marker, bytes(_MARKER_BYTES)))


def _end_of_header(content: bytes) -> int:
    """Return where the marker stands: behind a map, which comes in blocks of entries up to an empty one."""
    at = len(_MAGIC)
    while True:
        count, at = _number(content, at)
        if count == 0:
            return at
        if count < 0:  # its size in bytes follows
            count, at = -count, _number(content, at)[1]
        for _ in range(2 * count):
            length, at = _number(content, at)
            at += length
            if not 0 <= length <= len(content):
                raise EOFError


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, seven bits a byte with the sign in the last one, and the place behind it."""
    value = shift = 0
    while at < len(content):
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
    raise EOFError
