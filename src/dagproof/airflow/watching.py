"""See what importing a file really does: sockets, subprocesses, files written, Variable and Connection look-ups.

What would reach other systems, or write outside of the temporary folder, is seen and refused: a check must not do
what the file should not do either. Programs that are started run behind Landlock, where the kernel has it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any

from dagproof.airflow import private
from dagproof.airflow.frames import UserCode
from dagproof.inside.guard import Guard

MOST_EVENTS = 100
PROCESS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile")
DATABASES = {5432: "postgresql", 3306: "mysql", 1433: "mssql", 1521: "oracle"}
LOCAL = ("", "localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - a name to compare with, nothing is bound to it
STAND_IN = "0"
"""What a Variable without a value is worth: it is a number, JSON and a name all the same."""


class RefusedError(PermissionError):
    """A file tried to reach another system, or to write, while it was imported."""


class Watch(Guard):
    """A guard that writes down what it is asked about.

    Args:
        user: the user's own code: an event is told at its place in there.
        writable: folders that may be written.
        endpoints: ``(host, port)`` that may be connected to; that is written down all the same.
        tell: called with each event as plain data.
    """

    def __init__(
        self,
        user: UserCode,
        writable: list[str],
        endpoints: list[tuple[str, int]],
        tell: Callable[[dict[str, object]], None],
    ) -> None:
        super().__init__(writable, endpoints)
        self.user = user
        self.tell = tell
        self.refused = False
        self.made_up: list[str] = []
        self._on = False
        self._inside = threading.local()
        self._told: set[str] = set()

    def start(self) -> None:
        """From now on, look."""
        self._on = True

    def stop(self) -> None:
        """What happens from now on is not the user's doing."""
        self._on = False

    def event(self, kind: str, what: str, *, refused: bool, frame: FrameType | None = None) -> None:
        """Write down one event, told where the user's code caused it."""
        frame = frame or sys._getframe(1)
        chain = self.user.chain(frame)
        key = f"{kind} {what} {chain[-1:]}"
        if not chain or key in self._told or len(self._told) >= MOST_EVENTS:
            return
        self._told.add(key)
        by_import = self.user.is_import_of_another(frame)
        self.tell({"kind": kind, "what": what, "chain": chain, "refused": refused, "by_import": by_import})

    def check_address(self, host: object, port: object) -> None:
        """Write a connection down; refuse it unless it is allowed."""
        if self._on:  # the drivers of PostgreSQL ask here without an event
            self._network(f"{host}:{port}", DATABASES.get(_number(port), ""), (str(host), _number(port)))

    def check_unix_socket(self, path: object) -> None:
        """Write a connection down; refuse it unless it belongs to name look-ups."""
        try:
            super().check_unix_socket(path)
        except PermissionError:
            self._refuse("connect", str(path))

    def check_name(self, host: object, port: object = None) -> None:
        """Write a look-up down as the connection that it is for; refuse it unless that is allowed."""
        self._look_up((host, port))

    def check_write(self, path: object, *, follow: bool = True, verb: str = "write") -> None:
        """Write down what is written outside of the temporary folder, and refuse it."""
        try:
            super().check_write(path, follow=follow, verb=verb)
        except PermissionError:
            shown = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
            if "__pycache__" not in shown:
                self._refuse("write", shown)

    def _network(self, shown: str, database: str, address: tuple[str, int]) -> None:
        kind = "database" if database else "connect"
        if address in self.endpoints:
            self.event(kind, shown, refused=False)
        else:
            self._refuse(kind, shown)

    def _refuse(self, kind: str, what: str) -> None:
        self.event(kind, what, refused=True, frame=sys._getframe(1))
        self.refused = True
        doing = {"write": "writing", "connect": "connecting to", "database": "connecting to"}[kind]
        raise RefusedError(f"{doing} {what} was refused by dagproof check, which only imports the file")

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._on or getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        try:
            if event == "os.mkdir" and os.path.isdir(args[0]):
                return  # it is there already: this will say so, or has nothing to do
            if event == "sqlite3.connect":
                self._open_sqlite(args[0])
            elif event in PROCESS:
                self.event("process", _program(args), refused=False)
            else:
                super()._audit(event, args)
        finally:
            self._inside.busy = False

    def _look_up(self, args: tuple[Any, ...]) -> None:
        host, port = os.fsdecode(args[0] or b""), _number(args[1])
        known = {name for name, _ in self.endpoints}
        if host not in LOCAL and host != socket.gethostname() and host not in known:
            self._network(f"{host}:{port}" if port else host, DATABASES.get(port, ""), (host, port))

    def _open_sqlite(self, path: object) -> None:
        shown = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
        if shown not in ("", ":memory:") and "mode=memory" not in shown:
            self.event("database", shown, refused=False)


def _number(port: object) -> int:
    with contextlib.suppress(TypeError, ValueError):
        return int(str(port))
    return 0


def _program(args: tuple[Any, ...]) -> str:
    """What is started, as people would write it."""
    command = args[1] if len(args) > 1 and isinstance(args[1], list | tuple) else args[0]
    words = command if isinstance(command, list | tuple) else [command]
    shown = " ".join(os.fsdecode(word) if isinstance(word, str | bytes | os.PathLike) else str(word) for word in words)
    return shown if len(shown) <= 80 else shown[:79] + "…"


# --- Variables and Connections


def watch_lookups(watch: Watch) -> None:
    """Let every look-up be seen, and answer those that have no value here."""
    from airflow.sdk import BaseHook, Connection, Variable

    _watch_variable(watch, Variable)
    _watch_connection(watch, Connection, "get")
    _watch_connection(watch, BaseHook, "get_connection")
    _watch_variable(watch, private.Variable)
    _watch_connection(watch, private.Connection, "get_connection_from_secrets")


def _watch_variable(watch: Watch, kind: Any) -> None:
    original = kind.get.__func__

    @wraps(original)
    def get(cls: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        watch.event("variable", str(key), refused=False, frame=sys._getframe(1))
        if f"AIRFLOW_VAR_{str(key).upper()}" in os.environ:
            return original(cls, key, *args, **kwargs)
        for name in ("default", "default_var"):
            if name in kwargs:
                return kwargs[name]
        if args:
            return args[0]
        watch.made_up.append(f"the Variable {key!r}")
        return {} if kwargs.get("deserialize_json") else STAND_IN

    @wraps(kind.set.__func__ if hasattr(kind.set, "__func__") else kind.set)
    def put(*args: Any, **kwargs: Any) -> None:
        key = kwargs.get("key", args[0] if args else "")
        watch.event("variable", str(key), refused=True, frame=sys._getframe(1))

    kind.get = classmethod(get)
    kind.set = staticmethod(put)


def _watch_connection(watch: Watch, kind: Any, name: str) -> None:
    original = getattr(kind, name).__func__

    @wraps(original)
    def get(cls: Any, conn_id: str, *args: Any, **kwargs: Any) -> Any:
        from airflow.sdk import Connection

        watch.event("connection", str(conn_id), refused=False, frame=sys._getframe(1))
        if f"AIRFLOW_CONN_{str(conn_id).upper()}" in os.environ:
            return original(cls, conn_id, *args, **kwargs)
        watch.made_up.append(f"the Connection {conn_id!r}")
        return Connection(conn_id=str(conn_id), conn_type="generic", host="localhost", login="", password="", port=0)

    setattr(kind, name, classmethod(get))
