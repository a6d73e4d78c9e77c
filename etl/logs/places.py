"""Where logs are read from: a folder of this machine, of an SFTP server, or of a bucket."""

from __future__ import annotations

import base64
import contextlib
import io
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

import paramiko

from etl.errors import SettingsError, SourceUnavailableError
from etl.storage import Storage, copy


class Found(NamedTuple):
    """A file of a folder: its name, and when it was last written to, in seconds since 1970."""

    name: str
    modified: float


class Place(Protocol):
    """A file system, seen from outside."""

    def files(self, folder: str) -> list[Found]:
        """Return the regular files of a folder."""

    def copy(self, path: str, target: BinaryIO) -> None:
        """Write what is in a file to another one."""


class ThisMachine:
    """The files of this machine."""

    def files(self, folder: str) -> list[Found]:
        """Return the regular files of a folder."""
        return [Found(path.name, path.stat().st_mtime) for path in Path(folder).iterdir() if path.is_file()]

    def copy(self, path: str, target: BinaryIO) -> None:
        """Write what is in a file to another one."""
        with Path(path).open("rb") as file:
            shutil.copyfileobj(file, target)


class InBucket:
    """The files of a bucket; paths begin with a slash here as elsewhere."""

    def __init__(self, bucket: Storage) -> None:
        self._bucket = bucket

    def files(self, folder: str) -> list[Found]:
        """Return the files of a folder."""
        found = self._bucket.files(folder.strip("/"), below=False)
        return [Found(PurePosixPath(file.name).name, file.modified) for file in found]

    def copy(self, path: str, target: BinaryIO) -> None:
        """Write what is in a file to another one."""
        copy(self._bucket, path.lstrip("/"), target)


@dataclass(frozen=True)
class SftpServer:
    """An SFTP server, and how to log in there.

    Attributes:
        host: Its name or address.
        port: Its port.
        user: Who logs in.
        password: Their password; empty if a key is used.
        private_key: An OpenSSH private key as text; empty if a password is used.
        host_key: The server's public key, as `ssh-keyscan` prints it without the host: `ssh-ed25519 AAAA…`.
    """

    host: str
    port: int = 22
    user: str = ""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    host_key: str = ""

    @contextlib.contextmanager
    def connect(self, timeout: float) -> Iterator[Place]:
        """Log in.

        Raises:
            SettingsError: no host key is known, or a key is none.
            SourceUnavailableError: the server does not answer, is another one, or refuses the user.
        """
        client = paramiko.SSHClient()
        with contextlib.closing(client):
            client.get_host_keys().add(self._known_as, *_public(self.host_key))
            try:
                client.connect(
                    self.host,
                    self.port,
                    self.user,
                    self.password or None,
                    pkey=_private(self.private_key),
                    timeout=timeout,
                    banner_timeout=timeout,
                    auth_timeout=timeout,
                    channel_timeout=timeout,
                    allow_agent=False,
                    look_for_keys=False,
                )
                session = client.open_sftp()
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise SourceUnavailableError(
                    f"The SFTP server {self.host}:{self.port} cannot be used: {error}."
                ) from error
            session.get_channel().settimeout(timeout)
            with contextlib.closing(session):
                yield _Remote(session)

    @property
    def _known_as(self) -> str:
        return self.host if self.port == paramiko.config.SSH_PORT else f"[{self.host}]:{self.port}"


class _Remote:
    """The files of an SFTP server."""

    def __init__(self, session: paramiko.SFTPClient) -> None:
        self._session = session

    def files(self, folder: str) -> list[Found]:
        """Return the regular files of a folder."""
        found = self._session.listdir_attr(folder)
        return [Found(file.filename, file.st_mtime or 0) for file in found if stat.S_ISREG(file.st_mode or 0)]

    def copy(self, path: str, target: BinaryIO) -> None:
        """Write what is in a file to another one; many requests at once are on their way."""
        try:
            self._session.getfo(path, target)
        except (paramiko.SSHException, EOFError) as error:
            raise SourceUnavailableError(f"The SFTP server broke off in the middle of {path}: {error}.") from error


def _public(text: str) -> tuple[str, paramiko.PKey]:
    kind, _, data = text.strip().partition(" ")
    try:
        key = paramiko.PKey.from_type_string(kind, base64.b64decode(data))
    except (paramiko.SSHException, paramiko.UnknownKeyType, ValueError) as error:
        raise SettingsError(
            "The connection logs_sftp needs the server's public key: its extra `host_key`, as `ssh-keyscan` prints it "
            f"without the host, is {text[:40]!r}."
        ) from error
    return kind, key


def _private(text: str) -> paramiko.PKey | None:
    if not text:
        return None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(text))
    raise SettingsError(
        "The private key of the connection logs_sftp is no Ed25519, ECDSA or RSA key without a passphrase."
    )
