"""A real SFTP server on a port of this machine, for as long as a test wants it: one user, one folder, read only."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko

USER, PASSWORD = "collector", "a password of the test"


class _Login(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko ships no types
    def __init__(self, keys: list[paramiko.PKey]) -> None:
        self._keys = keys

    def check_auth_password(self, username: str, password: str) -> Any:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == (USER, PASSWORD) else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> Any:
        return paramiko.AUTH_SUCCESSFUL if username == USER and key in self._keys else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> Any:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):  # type: ignore[misc]  # paramiko ships no types
    def __init__(self, server: _Login, folder: Path) -> None:
        super().__init__(server)
        self._folder = folder

    def _real(self, path: str) -> Path:
        return self._folder / str(self.canonicalize(path)).lstrip("/")

    def list_folder(self, path: str) -> Any:
        try:
            files = sorted(self._real(path).iterdir())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return [paramiko.SFTPAttributes.from_stat(file.stat(), file.name) for file in files]

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        if flags & (os.O_WRONLY | os.O_RDWR):
            return paramiko.SFTP_PERMISSION_DENIED
        handle = paramiko.SFTPHandle(flags)
        try:
            handle.readfile = self._real(path).open("rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return handle


class SftpFolder:
    """The server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        host_key: Its public key, as `ssh-keyscan` prints it without the host.
        private_key: A key that its user may log in with, as OpenSSH's text.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host_key, user_key = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
        self._login = _Login([user_key])
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._sessions: list[paramiko.Transport] = []
        self.port: int = self._socket.getsockname()[1]
        self.host_key = f"{self._host_key.get_name()} {self._host_key.get_base64()}"
        text = io.StringIO()
        user_key.write_private_key(text)
        self.private_key = text.getvalue()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """End all sessions, and listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for session in self._sessions:
            session.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # that of the socket when it is closed
            while True:
                session = paramiko.Transport(self._socket.accept()[0])
                session.add_server_key(self._host_key)
                session.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self._folder)
                self._sessions.append(session)
                with contextlib.suppress(paramiko.SSHException, EOFError):  # a client that likes not what it sees
                    session.start_server(server=self._login)


@contextlib.contextmanager
def sftp_folder(folder: Path) -> Iterator[SftpFolder]:
    """Serve a folder."""
    server = SftpFolder(folder)
    try:
        yield server
    finally:
        server.close()
