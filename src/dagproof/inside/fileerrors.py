"""Files that fail: opened as usual, with the error at the moment at which a disk or a network share would raise it."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import Any


def failure(number: int, path: object) -> OSError:
    """Return the exception that Python raises for an error number, for a path."""
    return OSError(number, os.strerror(number), os.fsdecode(path) if isinstance(path, bytes) else path)


class _FullDisk(io.FileIO):
    """A file that is open, and has no space left on its disk."""

    def write(self, data: Any) -> int:
        raise failure(errno.ENOSPC, self.name)


class _FailingRead(io.FileIO):
    """A file that is open, and cannot be read."""

    def readinto(self, buffer: Any) -> int:
        raise failure(errno.EIO, self.name)

    def read(self, size: int | None = -1) -> bytes:
        raise failure(errno.EIO, self.name)

    def readall(self) -> bytes:
        raise failure(errno.EIO, self.name)


class _ShortRead(io.FileIO):
    """A file of which a read gives less than was asked for, as a read may: the next one goes on from there."""

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        return super().readinto(view[: half(len(view))]) or 0

    def read(self, size: int | None = -1) -> bytes:
        return (super().read(size) if size is None or size < 0 else super().read(half(size))) or b""


_KINDS = {errno.ENOSPC: _FullDisk, errno.EIO: _FailingRead, 0: _ShortRead}
#: The errors that come when a file is written or read, and not when it is opened; 0 is a short read.
LATER = frozenset(_KINDS)


def half(size: int) -> int:
    """Return how many bytes a short read gives at most."""
    return max(1, size // 2)


class LateErrors:
    """The open descriptors of which a read or a write fails; one that is closed and used anew is another file."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[int, tuple[int, int]]] = {}

    def note(self, descriptor: int, number: int | None) -> None:
        """Note a descriptor that was opened, and the number of its error, where it has one."""
        self._of.pop(descriptor, None)
        if number is not None:
            self._of[descriptor] = (number, _identity(descriptor))

    def of(self, descriptor: int) -> int | None:
        """Return the number of a descriptor's error; None where it has none."""
        number, identity = self._of.get(descriptor, (None, None))
        return number if identity is not None and identity == _identity(descriptor) else None

    def reading(self, read: Callable[[int, int], bytes]) -> Callable[[int, int], bytes]:
        """Return a function in the place of :func:`os.read`."""

        def reading(descriptor: int, size: int, /) -> bytes:
            number = self.of(descriptor)
            if number == errno.EIO:
                raise OSError(number, os.strerror(number))
            return read(descriptor, half(size) if number == 0 else size)

        return reading

    def writing(self, write: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
        """Return a function in the place of :func:`os.write`."""

        def writing(descriptor: int, data: Any, /) -> int:
            if (number := self.of(descriptor)) == errno.ENOSPC:
                raise OSError(number, os.strerror(number))
            return write(descriptor, data)

        return writing


def _identity(descriptor: int) -> tuple[int, int]:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def open_failing(
    number: int,
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """Open a file as :func:`open` does; what is written or read then fails with this error number."""
    path = file if isinstance(file, int) else os.fspath(file)
    plain = mode.replace("t", "").replace("b", "").replace("U", "")
    raw = _KINDS[number](path, plain, closefd, opener)
    if buffering == 0:
        return raw
    kind = io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter
    buffered: Any = kind(raw)
    if "b" in mode:
        return buffered
    stream = io.TextIOWrapper(buffered, encoding or "locale", errors, newline, buffering == 1)
    stream.mode = mode  # type: ignore[misc]  # as `open` sets it
    return stream
