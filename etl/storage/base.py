"""What a storage promises, wherever its files are.

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

from etl.errors import MissingFileError, SettingsError, StorageError

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
