"""The proxy between a DAG and PostgreSQL."""

from __future__ import annotations

import contextlib
import errno
import itertools
import socket
import threading
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import overload

from dagproof.errors import DagproofError
from dagproof.postgres.wire.clock import Moved
from dagproof.postgres.wire.connection import Connection
from dagproof.postgres.wire.loop import READ, Loop, LoopEndedError
from dagproof.postgres.wire.plans import Book, Error, Failing, Fault, Held, Hold, Planned, Watch
from dagproof.postgres.wire.side import CHUNK_BYTES
from dagproof.postgres.wire.way import Address, Closed, Way

_LOOPBACK = "127.0.0.1"
_BACKLOG = 256
_GRACE_SECONDS = 0.4  # for sessions to end, when the proxy is closed


class ProxyError(DagproofError):
    """The proxy cannot do its work, and why."""


class Lane:
    """A port of the proxy, with a watch and plans of its own: one for each client process that is to be told apart.

    What is watched or planned counts the messages of all connections that come in through this port. Use `Proxy.lane`
    to get one.
    """

    def __init__(self, name: str, loop: Loop, addresses: Sequence[Address], proxy: Proxy) -> None:
        self.name = name
        self._loop = loop
        self._book = Book()
        self._proxy = proxy
        self._listener = socket.create_server((_LOOPBACK, 0), backlog=_BACKLOG)
        self._listener.setblocking(False)
        self._listening = 0
        self.port: int = self._listener.getsockname()[1]
        self._way = Way(loop, self._book, addresses, proxy._buffer, self._ended, proxy.only)
        self._connections: set[Connection] = set()
        self._numbers = itertools.count(1)

    def watch(self, database: str | None = None) -> Watch:
        """Record the messages of all connections from now on, or of those to one database."""

        def begin() -> Watch:
            self._book.watches.append(watch := Watch(database, self._stop_watch, self._loop.catch_up))
            return watch

        return self._loop.call(begin)

    @overload
    def plan(self, spec: Fault) -> Planned: ...
    @overload
    def plan(self, spec: Hold) -> Held: ...
    @overload
    def plan(self, spec: Error) -> Failing: ...
    def plan(self, spec: Fault | Hold | Error) -> Planned:
        """Have something happen at a message, counted from now on; it happens once, unless it is lasting."""
        kind = Held if isinstance(spec, Hold) else Failing if isinstance(spec, Error) else Planned
        planned = kind(spec, self._loop.post, self._book)
        self._loop.call(lambda: self._book.plans.append(planned))
        return planned

    def move_clock(self, database: str, seconds: float) -> None:
        """Let SQL see a clock that is ahead by `seconds`, in sessions with the database that begin from now on.

        The database has to have the functions of `dagproof.postgres.wire.FUNCTIONS`.
        """
        self._way.moved[database] = Moved(database, seconds)

    def turn_away(self, sqlstate: str, text: str, *, lasting: bool = False) -> None:
        """Let no session begin, as a server does that has no room or is going down: the next one, or none any more."""
        self._way.closed = Closed(sqlstate, text, lasting)

    def clear(self) -> None:
        """Forget watches and plans; connections that are held go on. If their clients are dead: `cut_all` first."""
        self._way.closed = None
        self._loop.call(self._book.clear)

    def cut_all(self) -> None:
        """Close every connection now, as a fault would."""
        self._loop.call(self._cut_all)

    @property
    def connections(self) -> int:
        """How many there are, those that are ending included."""
        return len(self._connections)

    # The rest is for the loop's thread.

    def _stop_watch(self, watch: Watch) -> None:
        self._loop.call(lambda: self._book.watches.remove(watch) if watch in self._book.watches else None)

    def _listen(self, events: int) -> None:
        self._loop.want(self._listener, self._listening, events, self._accept)
        self._listening = events

    def _accept(self, events: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._listen(0)  # until a connection ends and leaves a descriptor
            return
        self._connections.add(Connection(self._way, next(self._numbers), sock))

    def _ended(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._listening:
            self._listen(READ)
        self._proxy._notify()

    def _cut_all(self) -> None:
        for connection in tuple(self._connections):
            connection.cut()

    def _close(self) -> None:
        self._listening = READ  # nobody is let in again
        for connection in tuple(self._connections):
            connection.close()

    def _is_settled(self) -> bool:
        return not any(connection.ending for connection in tuple(self._connections))


class Proxy:
    """Stands between clients and one PostgreSQL server, passes everything on, and lets happen what is planned.

        with Proxy(server.host, server.port) as proxy:
            watch = proxy.watch()
            ...  # a client works through 127.0.0.1 and proxy.port
            lost = proxy.plan(Fault(at=len(watch.messages), when="after"))

    The port stays the same as long as the proxy lives. `port`, `watch` and `plan` are those of the lane ``"main"``;
    `clear`, `cut_all`, `settled` and `empty` are about all lanes. It needs one thread, whatever the number of
    connections, and holds no lock in it: the process may start others with subprocess meanwhile.

    Args:
        upstream_host: where the server is.
        upstream_port: the port on which it listens.
        only: the databases that sessions may be with; any by default.

    Raises:
        ProxyError: the server's name cannot be resolved, or there is no port to listen on.
    """

    def __init__(self, upstream_host: str, upstream_port: int, *, only: Collection[str] | None = None) -> None:
        self.only = only
        self._addresses = _addresses(upstream_host, upstream_port)
        self._buffer = memoryview(bytearray(CHUNK_BYTES * 2))
        self._changed = threading.Condition()
        self._lanes: dict[str, Lane] = {}
        self._loop = Loop(f"dagproof-wire-{upstream_port}")
        self._closed = False
        self._main = self.lane("main")

    def lane(self, name: str) -> Lane:
        """The lane of this name, with a port of its own; made when it is asked for first."""
        if name not in self._lanes:
            try:
                lane = Lane(name, self._loop, self._addresses, self)
            except OSError as error:
                raise ProxyError(f"The proxy found no port of {_LOOPBACK} to listen on: {error.strerror}.") from error
            self._lanes[name] = lane
            self._loop.call(lambda: lane._listen(READ))
        return self._lanes[name]

    @property
    def port(self) -> int:
        """Where the lane "main" listens."""
        return self._main.port

    def watch(self, database: str | None = None) -> Watch:
        """As `Lane.watch`, for the lane "main"."""
        return self._main.watch(database)

    @overload
    def plan(self, spec: Fault) -> Planned: ...
    @overload
    def plan(self, spec: Hold) -> Held: ...
    @overload
    def plan(self, spec: Error) -> Failing: ...
    def plan(self, spec: Fault | Hold | Error) -> Planned:
        """As `Lane.plan`, for the lane "main"."""
        return self._main.plan(spec)

    def clear(self) -> None:
        """As `Lane.clear`, for all lanes."""
        for lane in self._lanes.values():
            lane.clear()

    def cut_all(self) -> None:
        """As `Lane.cut_all`, for all lanes."""
        for lane in self._lanes.values():
            lane.cut_all()

    @property
    def connections(self) -> int:
        """How many connections there are, those that are ending included."""
        return sum(lane.connections for lane in self._lanes.values())

    def settled(self, timeout: float) -> bool:
        """Wait until the server has ended the session of each connection that was cut, or that its client has closed.

        What such a session did not commit is rolled back then. False when one is still there after `timeout` seconds:
        it waits for a lock, or for a statement to end.
        """
        return self._wait_until(lambda: all(lane._is_settled() for lane in self._lanes.values()), timeout)

    def empty(self, timeout: float) -> bool:
        """Wait until there is no connection at all; False when there is one after `timeout` seconds."""
        return self._wait_until(lambda: not self.connections, timeout)

    def close(self) -> None:
        """Close all connections and ports, and end the thread; takes less than a second.

        Raises:
            LoopEndedError: something went wrong in the thread, which is the cause.
        """
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(LoopEndedError):  # stop() tells why
            self.cut_all()
            self.settled(_GRACE_SECONDS)
        self._loop.stop(self._close_lanes)

    def _close_lanes(self) -> None:
        for lane in self._lanes.values():
            lane._close()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _wait_until(self, claim: Callable[[], bool], timeout: float) -> bool:
        self._loop.catch_up()
        with self._changed:
            return self._changed.wait_for(claim, timeout)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ProxyError(f"The host {host!r} cannot be resolved: {error.strerror}.") from error
    return [(family, address) for family, _, _, _, address in found]
