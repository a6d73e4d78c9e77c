"""Files by URL: below a local folder or in a bucket of an S3-compatible store, with the same promises for both.

A file appears under its name whole or not at all, and takes the place of an older one at once. Names are relative to
the URL and have slashes.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from etl.errors import MissingFileError, SettingsError, StorageError
from etl.files import atomic_write

REFUSALS = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "NO_SUCH_BUCKET")
"""What an S3-compatible store will say again at the next attempt, as its client calls it."""


@dataclass(frozen=True)
class Credentials:
    """Who we are at an S3-compatible store, and where it is; an empty endpoint means that of AWS."""

    key: str
    secret: str = field(repr=False)
    endpoint: str = ""
    region: str = "us-east-1"

    @classmethod
    def of_connection(cls, login: str | None, password: str | None, extra: Mapping[str, Any]) -> Credentials:
        """Make them of what an Airflow connection of type `aws` holds.

        Raises:
            SettingsError: the login or the password is missing.
        """
        if not login or not password:
            raise SettingsError("The connection to the object store needs the access key as login and its password.")
        endpoint = str(extra.get("endpoint_url") or "")
        return cls(login, password, endpoint, str(extra.get("region_name") or "us-east-1"))


class Stored(NamedTuple):
    """A file: its name, and when it was last written to, in seconds since 1970."""

    name: str
    modified: float


class Storage(ABC):
    """Where files are."""

    url: str

    @abstractmethod
    def files(self, folder: str = "", *, below: bool = True) -> list[Stored]:
        """Return the files of a folder and, unless told, of all folders below it, sorted by name.

        There are none where there is no such folder.

        Raises:
            StorageError: the store does not answer.
        """

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all files below a folder, sorted; none where there is no such folder.

        Raises:
            StorageError: the store does not answer.
        """
        return [file.name for file in self.files(folder)]

    @abstractmethod
    def reading(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """Open a file for reading bytes.

        Raises:
            MissingFileError: it is not there. StorageError: it cannot be read.
        """

    @abstractmethod
    def writing(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """Open a file for writing bytes that appears when the block ends well, and not at all when it does not.

        Raises:
            StorageError: it cannot be written. What was there before still is.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is fine.

        Raises:
            StorageError: it cannot be removed.
        """

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name.

        Raises:
            StorageError: the store does not answer.
        """

    @contextlib.contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Have a file's bytes in one of this machine, to read only and for the time of the block.

        Raises:
            MissingFileError: it is not there. StorageError: it cannot be read.
        """
        with tempfile.NamedTemporaryFile() as file:
            copy(self, name, file)  # type: ignore[arg-type]  # it is a binary file, wrapped
            file.flush()
            yield Path(file.name)

    def shown(self, name: str) -> str:
        """Return a file's whole address, for people to read."""
        return f"{self.url.rstrip('/')}/{name}"

    @contextlib.contextmanager
    def _told(self, what: str, name: str) -> Iterator[None]:
        """Say in a sentence why a file cannot be read, written or whatever it `what` is."""
        try:
            yield
        except FileNotFoundError:
            raise MissingFileError(f"{self.shown(name)} is not there.") from None
        except OSError as error:
            reason = (error.strerror or str(error)).strip().rstrip(".")
            refused = any(word in reason for word in REFUSALS)
            # What led to it is left out: a store's client may show the request.
            raise (SettingsError if refused else StorageError)(
                f"{self.shown(name)} cannot be {what}: {reason}."
            ) from None


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


def open_storage(url: str, credentials: Credentials | None = None) -> Storage:
    """Return the storage at an absolute path, a ``file://`` URL or an ``s3://bucket/prefix`` URL.

    Nothing is looked at yet.

    Raises:
        SettingsError: the URL is none of these, or ``s3://`` comes without credentials.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        if credentials is None:
            raise SettingsError(f"{url} needs credentials, and there are none.")
        from etl.bucket import Bucket  # the client of S3 is not for those who have folders

        return Bucket(url, parts.netloc, parts.path.strip("/"), credentials)
    path = unquote(parts.path) if parts.scheme == "file" and parts.netloc in ("", "localhost") else url
    if not Path(path).is_absolute():
        raise SettingsError(f"{url!r} must be an absolute path, a file:// URL or an s3://bucket/prefix URL.")
    return Folder(Path(path))


def copy(storage: Storage, name: str, target: BinaryIO) -> None:
    """Append a file's bytes to an open local one, so that it can be read more than once.

    Raises:
        MissingFileError: it is not there. StorageError: it cannot be read.
    """
    with storage.reading(name) as source:
        shutil.copyfileobj(source, target, 1 << 20)


def checked(name: str) -> str:
    """Return a name that stays below the URL."""
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        raise ValueError(f"{name!r} is no name below a storage's URL.")
    return name
