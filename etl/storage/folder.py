"""Files below a folder of this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from etl.errors import MissingFileError
from etl.files import atomic_write
from etl.storage.base import Storage, Stored, checked


class Folder(Storage):
    """A folder of this machine.

    Unlike in a bucket, a name cannot be that of a file and of a folder: below a file there is none, and where there
    was a folder no file can be written, even after all of its files are deleted.
    """

    def __init__(self, path: Path) -> None:
        self.url = str(path)
        self._path = path

    def files(self, folder: str = "", *, below: bool = True) -> list[Stored]:  # noqa: D102 - as in Storage, here and below
        place = self._path / folder
        with self._told("listed", folder):
            found = place.rglob("*") if below else place.glob("*")
            # A hidden one is what a writer is at, or has left.
            files = [path for path in found if path.is_file() and not path.name.startswith(".")]
            return sorted(Stored(path.relative_to(self._path).as_posix(), path.stat().st_mtime) for path in files)

    def exists(self, name: str) -> bool:  # noqa: D102
        return (self._path / checked(name)).is_file()

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        with self._told("read", name), (self._path / checked(name)).open("rb") as file:
            yield file

    @contextlib.contextmanager
    def local(self, name: str) -> Iterator[Path]:  # noqa: D102
        if not self.exists(name):
            raise MissingFileError(f"{self.shown(name)} is not there.")
        yield self._path / name

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        with self._told("written", name), atomic_write(self._path / checked(name)) as file:
            yield file

    def delete(self, name: str) -> None:  # noqa: D102
        with self._told("removed", name):
            (self._path / checked(name)).unlink(missing_ok=True)
