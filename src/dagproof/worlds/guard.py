"""Keep a run inside its world: it may write below its own folders and connect to its own stores, nothing else.

Two fences. An audit hook refuses what Python code does, with a sentence that names the way out; the connect functions
of the PostgreSQL drivers, whose sockets are the C library's, are wrapped to do the same. Under it, where the kernel
has it (Linux 5.13 for files, 6.7 for TCP), Landlock refuses files and ports, not hosts, to C libraries and to child
processes, which see a plain "Permission denied".
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dagproof.errors import DagproofError

DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "http": 80, "https": 443, "ftp": 21, "sftp": 22, "mysql": 3306}
HARMLESS_SOCKETS = ("/dev/log", "/run/nscd", "/var/run/nscd", "/run/systemd/resolve")
HARMLESS_FILES = ("/dev/", "/proc/self/", "/proc/thread-self/")
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
TWO_PATHS = {"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"}
ONE_PATH = {"os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


class OutsideWorldError(PermissionError, DagproofError):
    """A run tried to reach what is not part of its world."""


def endpoints_in(values: Iterable[str]) -> set[tuple[str, int]]:
    """Return the ``(host, port)`` of each URL or ``host:port`` among `values`; other texts have none."""
    found = set()
    for value in values:
        with contextlib.suppress(ValueError):
            parts = urlsplit(value if "://" in value else f"//{value}")
            port = parts.port or DEFAULT_PORTS.get(parts.scheme.split("+")[0])
            if parts.hostname and port and ("://" in value or parts.port):
                found.add((parts.hostname, port))
    return found


class Guard:
    """The fence around one process and all that it starts; it cannot be taken down again.

    Args:
        writable: folders (and files) that may be written.
        endpoints: ``(host, port)`` that may be connected to.
    """

    def __init__(self, writable: Iterable[str | Path], endpoints: Iterable[tuple[str, int]]) -> None:
        self.writable = tuple(os.path.realpath(path) for path in writable)
        self.endpoints = {(ip, port) for host, port in endpoints for ip in _addresses(host)}
        self.ports = sorted({port for _, port in self.endpoints})

    def up(self) -> None:
        """Put the fence up for this process, its threads and its future children."""
        landlock(self.writable, self.ports)
        _wrap_postgres_drivers(self.check_address)  # Landlock knows ports only: another host may have the same one
        sys.addaudithook(self._audit)

    def check_address(self, host: object, port: object) -> None:
        """Raise :class:`OutsideWorldError` unless the world has a store at `host`:`port`."""
        addresses = _addresses(str(host))
        if not any((ip, int(str(port))) in self.endpoints for ip in addresses):
            raise OutsideWorldError(
                f"the run tried to connect to {host}:{port}, which is not part of its world; map it with a connection "
                f"in [tool.dagproof.world], or list it under allow"
            )

    def check_write(self, path: object) -> None:
        """Raise :class:`OutsideWorldError` unless `path` lies below a writable folder."""
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file descriptor: whoever opened it was checked
        text = os.path.realpath(os.fsdecode(path))
        if text.startswith(HARMLESS_FILES) or _is_below(text, self.writable):
            return
        raise OutsideWorldError(
            f"the run tried to write {os.fsdecode(path)}, which is outside its world; give the DAG a folder below "
            f"{{files}} with env or connections in [tool.dagproof.world], or list the path under allow"
        )

    def check_unix_socket(self, path: object) -> None:
        """Raise :class:`OutsideWorldError` unless the Unix socket lies in the world, or belongs to name look-ups."""
        text = os.fsdecode(path) if isinstance(path, str | bytes) else ""
        if text and not text.startswith(HARMLESS_SOCKETS) and not _is_below(os.path.realpath(text), self.writable):
            raise OutsideWorldError(
                f"the run tried to connect to the socket {text}, which is not part of its world; list it under allow "
                f"in [tool.dagproof.world]"
            )

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[2], int) and args[2] & WRITE_FLAGS:
                self.check_write(args[0])
        elif event == "socket.connect":
            self._check_connect(*args[:2])
        elif event == "os.truncate":
            self.check_write(args[0])
        elif event in ONE_PATH:
            if len(args) < 2 or args[-1] in (-1, None) or not isinstance(args[-1], int):
                self.check_write(args[0])
        elif event in TWO_PATHS:
            self.check_write(args[1])
            if event in {"os.rename", "shutil.move"}:
                self.check_write(args[0])

    def _check_connect(self, sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            if sock.type & 0xF != socket.SOCK_DGRAM:  # a datagram socket "connects" without sending: getaddrinfo does
                self.check_address(address[0], address[1])
        elif sock.family == getattr(socket, "AF_UNIX", None):
            self.check_unix_socket(address)


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def _addresses(host: str) -> set[str]:
    """Return the IP addresses of `host` and its own name; just the name where it does not resolve."""
    found = {host}
    with contextlib.suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    return found


# --- Landlock: https://docs.kernel.org/userspace-api/landlock.html

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_RULE_PATH, _RULE_PORT = 1, 2
_FS_WRITE_FILE, _FS_TRUNCATE, _FS_REFER = 1 << 1, 1 << 14, 1 << 13
_FS_DIRECTORY = sum(1 << bit for bit in range(4, 13))  # remove and make files, folders, links, sockets, fifos
_NET_CONNECT_TCP = 1 << 1
_PR_SET_NO_NEW_PRIVS = 38


def landlock(writable: Iterable[str], ports: Iterable[int]) -> bool:
    """Confine this process with Landlock as far as the kernel has it; tell whether TCP connects are confined too."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return False
    files = _FS_WRITE_FILE | _FS_DIRECTORY | (_FS_REFER if abi >= 2 else 0) | (_FS_TRUNCATE if abi >= 3 else 0)
    tcp = _NET_CONNECT_TCP if abi >= 4 else 0
    attribute = struct.pack("=QQ", files, tcp)[: 16 if abi >= 4 else 8]
    ruleset = libc.syscall(_CREATE_RULESET, attribute, len(attribute), 0)
    if ruleset < 0:
        return False
    try:
        for path in (*writable, "/dev", "/proc/self"):
            _allow_below(libc, ruleset, path, files)
        for port in ports if tcp else ():
            libc.syscall(_ADD_RULE, ruleset, _RULE_PORT, struct.pack("=QQ", tcp, port), 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        confined = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)
    return confined and bool(tcp)


def _allow_below(libc: Any, ruleset: int, path: str, rights: int) -> None:
    if not os.path.exists(path):
        return
    if not os.path.isdir(path):
        rights &= _FS_WRITE_FILE | _FS_TRUNCATE
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


# --- PostgreSQL drivers, whose sockets no audit hook sees


def _wrap_postgres_drivers(check: Callable[[object, object], None]) -> None:
    """Check host and port before psycopg2 and psycopg connect."""
    with contextlib.suppress(ImportError):
        import psycopg2

        original = psycopg2._connect

        def connect2(dsn: str, *args: Any, **kwargs: Any) -> Any:
            _check_dsn(psycopg2.extensions.parse_dsn(dsn), check)
            return original(dsn, *args, **kwargs)

        psycopg2._connect = connect2
    with contextlib.suppress(ImportError):
        from psycopg import conninfo as parser
        from psycopg import generators

        original3 = generators.connect

        def connect3(conninfo: str, **kwargs: Any) -> Any:
            _check_dsn(parser.conninfo_to_dict(conninfo), check)
            return original3(conninfo, **kwargs)

        generators.connect = connect3


def _check_dsn(parts: dict[str, Any], check: Callable[[object, object], None]) -> None:
    hosts = str(parts.get("hostaddr") or parts.get("host") or os.environ.get("PGHOST") or "localhost").split(",")
    ports = str(parts.get("port") or os.environ.get("PGPORT") or "5432").split(",")
    for index, host in enumerate(hosts):
        check(host, ports[min(index, len(ports) - 1)])
