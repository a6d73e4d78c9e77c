"""Archives (zip, tar, and what is made of them): their members and what these hold, not when and in which order.

The members come sorted by name, each behind a line with its name; of those with the same name, the order counts, for
the last one wins.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

_GZIP = b"\x1f\x8b\x08"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: dict[bytes, Callable[..., Any]] = {
    _GZIP: gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_TAR, _TAR_AT, _START_BYTES = b"ustar", 257, 512
_CHUNK_BYTES = 64 * 2**10
#: Members up to this size are looked into: an archive, too, may lie in an archive.
_MOST_BYTES = 16 * 2**20
_DEEPEST = 3
#: When an office document was written is in it, and is no more its content than a file's own time is.
_TIMES = {
    "docProps/core.xml": re.compile(rb"<dcterms:(created|modified)\b[^>]*>[^<]*<"),
    "meta.xml": re.compile(rb"<(dc:date|meta:creation-date)\b[^>]*>[^<]*<"),
}
#: What reading raises where a file only begins like an archive, or asks for a password.
ERRORS = (
    EOFError,
    RuntimeError,  # and NotImplementedError, for a way of compressing that Python does not know
    gzip.BadGzipFile,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def begins_like_zip(start: bytes) -> bool:
    """Tell whether a file that starts so may be a zip."""
    return start.startswith(_ZIP)


def begins_like_gzip(start: bytes) -> bool:
    """Tell whether a file that starts so may be compressed by gzip."""
    return start.startswith(_GZIP)


def may_be_tar(start: bytes) -> bool:
    """Tell whether a file that starts so may be a tar, compressed or not."""
    return start[_TAR_AT:].startswith(_TAR) or start.startswith(tuple(_COMPRESSED))


def is_tar(source: Path | bytes) -> bool:
    """Tell whether a file, or what it holds, begins like a tar, compressed or not."""
    try:
        with _opened(source) as stream:
            start = stream.read(_START_BYTES)
        opener = next((opener for magic, opener in _COMPRESSED.items() if start.startswith(magic)), None)
        if opener:
            with _opened(source) as stream, opener(stream) as plain:
                start = plain.read(_START_BYTES)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return False
    return start[_TAR_AT:].startswith(_TAR)


def _opened(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def zip_stream(source: Path | bytes, depth: int = 0) -> io.BufferedIOBase:
    """Return what the members of a zip hold."""
    return _Joined(_zip_parts(source, depth))


def tar_stream(source: Path | bytes, depth: int = 0) -> io.BufferedIOBase:
    """Return what the members of a tar hold, compressed or not."""
    return _Joined(_tar_parts(source, depth))


class _Joined(io.BufferedIOBase):
    """A stream of pieces that are made when they are read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next `size` bytes; fewer at the end."""
        parts = [self._rest]
        length = len(self._rest)
        while (size is None or size < 0 or length < size) and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            length += len(piece)
        everything = b"".join(parts)
        end = length if size is None or size < 0 else size
        self._rest = everything[end:]
        return everything[:end]


def _zip_parts(source: Path | bytes, depth: int) -> Iterator[bytes]:
    with _opened(source) as file, zipfile.ZipFile(file) as archive:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
            with archive.open(member) as stream:
                yield from _part(member.filename, member.file_size, stream, depth)


def _tar_parts(source: Path | bytes, depth: int) -> Iterator[bytes]:
    # zeros mark an end, and what was appended behind it is there all the same
    with _opened(source) as file, tarfile.open(fileobj=file, ignore_zeros=True) as archive:
        members = archive.getmembers()
        if not members:
            raise tarfile.ReadError("no member")
        for member in sorted(members, key=lambda member: member.name):
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                yield f"== {member.name} ({member.type!r} {member.linkname})\n".encode(errors="surrogateescape")
            else:
                with stream:
                    yield from _part(member.name, member.size, stream, depth)


def _part(name: str, size: int, stream: IO[bytes], depth: int) -> Iterator[bytes]:
    yield f"== {name}\n".encode(errors="surrogateescape")
    if size > _MOST_BYTES:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
    else:
        content = _inner(stream.read(), depth + 1)
        times = _TIMES.get(name)
        yield times.sub(rb"<\1><", content) if times else content
    yield b"\n"


def _inner(content: bytes, depth: int) -> bytes:
    """Return what a member says, where it is itself an archive or compressed; otherwise its bytes."""
    if depth > _DEEPEST:
        return content
    with contextlib.suppress(*ERRORS):
        if begins_like_zip(content):
            return zip_stream(content, depth).read()
    if may_be_tar(content) and is_tar(content):
        with contextlib.suppress(*ERRORS):
            return tar_stream(content, depth).read()
    with contextlib.suppress(*ERRORS):
        if begins_like_gzip(content):
            return gzip.decompress(content)
    return content
