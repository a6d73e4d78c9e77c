"""A client's connection on its way through the proxy."""

from __future__ import annotations

import enum
import errno
import socket

from dagproof.postgres.wire.answers import ENDLESS, NEVER, Answers
from dagproof.postgres.wire.clock import MOST_BYTES, Moved
from dagproof.postgres.wire.interjecting import interjection
from dagproof.postgres.wire.loop import READ, WRITE
from dagproof.postgres.wire.plans import Failing, Planned
from dagproof.postgres.wire.protocol import (
    COPY_DATA,
    FLUSH,
    FLUSH_MESSAGE,
    HEAD_BYTES,
    HEADER_BYTES,
    PARSE,
    QUERY,
    NotPostgresError,
    error_response,
    length_at,
    read_startup,
)
from dagproof.postgres.wire.replies import EXTENDED
from dagproof.postgres.wire.side import Side
from dagproof.postgres.wire.way import Way


class _Stop(enum.Enum):
    """Where a connection stands: nowhere, before a message, or behind one."""

    NONE = enum.auto()
    DELIVERING = enum.auto()  # the server gets what comes before the message
    BEFORE = enum.auto()
    ANSWERING = enum.auto()  # the server gets the message, and works on it
    AFTER = enum.auto()


class Connection:
    """Passes bytes on in both directions, knows where each message begins, and stops where it was planned.

    Lives in the loop's thread only. The server is called when the client's first packet has come; an encryption
    request before it is answered with "no".
    """

    def __init__(self, way: Way, number: int, client: socket.socket) -> None:
        self.number = number
        self.database = ""
        self._moved: Moved | None = None
        self._way = way
        self._buffer = way.buffer
        self._addresses = list(way.addresses)
        self._answers = Answers(way.buffer)
        self._replies = self._answers.replies
        self._client: Side | None = Side(way.loop, client, self._on_client)
        self._server: Side | None = None
        self._connected = False
        self._client_ended = False
        self._stop = _Stop.NONE
        self._stops: list[Planned] = []  # planned for the client's current message; the first is the one we stand at
        self._counted = False  # the message at the beginning of the client's carry was counted before we stood there
        self._dropping = False  # the client's current message does not reach the server
        self._flush_due = False
        self._withholding = False
        self._own_from = self._own_to = 0  # the answer begins when so many are answered, and ends when so many are
        self._client.want(READ)

    @property
    def ending(self) -> bool:
        """Whether the client has gone, or was cut off, and the server has not ended its session yet."""
        return self._client is None or self._client_ended

    # --- what the loop calls

    def _on_client(self, events: int) -> None:
        client = self._client
        if client and events & WRITE:
            client.flush()
        if client and events & READ:
            self._read_client(client)
        self._settle()

    def _on_server(self, events: int) -> None:
        server = self._server
        if server and not self._connected:
            self._finish_connecting(server)
        elif server and events & WRITE:
            server.flush()
        if server and events & READ and self._connected:
            self._read_server(server)
        self._settle()

    def _settle(self) -> None:
        """After anything that happened: see whether a stop is reached, and what to wait for next."""
        if self._is_at_ease():
            return
        if self._client and self._client.broken:
            self._lose_client()
        self._look_at_stop()
        client, server = self._client, self._server
        if server is None:
            if client and (client.full or not self._connected):
                client.want(0 if self._connected else READ)
            else:
                self.close()  # the session is over, and the client has got all of it
            return
        if self._connected:
            if self.ending and not server.full:
                server.end()
            server.want(0 if self._stop is _Stop.AFTER or (client and client.full) else READ)
        if client:
            client.want(READ if self._client_may_go_on(client, server) else 0)

    def _is_at_ease(self) -> bool:
        """Whether bytes went through and nothing else: so it is nearly always, and this is what a round trip costs."""
        client, server = self._client, self._server
        if self._stop is not _Stop.NONE or client is None or server is None or self._client_ended:
            return False
        return self._connected and client.at_ease and server.at_ease

    def _client_may_go_on(self, client: Side, server: Side) -> bool:
        if self._client_ended or server.full or not self._connected:
            return False
        return self._stop is _Stop.NONE or (self._stop is _Stop.ANSWERING and client.left > 0)

    # --- the beginning

    def _read_client(self, client: Side) -> None:
        total = client.receive(self._buffer)
        if total < 0:
            self._client_ended = True
            if not self._connected:
                self.close()
        elif self._server is None:
            self._begin(client, bytes(self._buffer[:total]))
        else:
            self._from_client(client, self._server, total)

    def _begin(self, client: Side, data: bytes) -> None:
        try:
            startup = read_startup(data)
        except NotPostgresError as error:
            self._refuse(str(error), "08P01")
            return
        client.carry = data
        if startup is None:
            return
        if startup.kind == "encryption":
            client.send(b"N")
            self._begin(client, data[startup.size :])
            return
        self.database = startup.database
        if refusal := self._way.refusal(startup):
            self._refuse(*refusal)
            return
        size = startup.size
        if moved := self._way.moved_for(startup):
            self._moved, packet = moved, moved.startup(data[:size])
            client.carry, size = packet + data[size:], len(packet)
        client.left = size if startup.kind == "session" else ENDLESS
        self._connect()

    def _connect(self) -> None:
        """Try the next address of the server."""
        if not self._addresses:
            self._refuse("the proxy cannot reach the server: nobody listens there", "57P03")
            return
        family, address = self._addresses.pop(0)
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._refuse(f"the proxy has no socket left: {error.strerror}", "53300")
            return
        self._server = Side(self._way.loop, sock, self._on_server)
        if sock.connect_ex(address) == errno.EINPROGRESS:
            self._server.want(WRITE)
        else:
            self._finish_connecting(self._server)

    def _finish_connecting(self, server: Side) -> None:
        try:
            server.sock.getpeername()
        except OSError:  # it was refused
            server.close()
            self._server = None
            self._connect()
            return
        self._connected = True
        self._go_on()

    def _refuse(self, text: str, sqlstate: str) -> None:
        if self._client:
            self._client.send(error_response(text, sqlstate))
        self.close()

    # --- from the client to the server

    def _go_on(self) -> None:
        """Pass on what was carried over."""
        if self._client and self._server:
            total = len(self._client.carry)
            self._buffer[:total] = self._client.carry
            self._from_client(self._client, self._server, total)

    def _from_client(self, client: Side, server: Side, total: int) -> None:
        begin, end = self._walk_client(client, server, total)
        client.carry = bytes(self._buffer[end:total])
        server.send(self._buffer[begin:end])
        if self._flush_due and not client.left:
            self._flush_due = False
            server.send(FLUSH_MESSAGE)

    def _walk_client(self, client: Side, server: Side, total: int) -> tuple[int, int]:
        """Find the messages in the buffer; return from where and how far it may be passed on.

        What comes before that has been: messages that are not passed on as they are.
        """
        begin, position, left, buffer = 0, 0, client.left, self._buffer
        while True:
            if left:
                step = min(left, total - position)
                position += step
                left -= step
                if self._dropping:
                    begin, self._dropping = position, left > 0
                if left or self._stop is _Stop.ANSWERING:
                    break
            if total - position < HEADER_BYTES:
                break
            kind, size = buffer[position], length_at(buffer, position + 1)[0]
            if size < HEADER_BYTES - 1:
                left = ENDLESS  # not the protocol: the server will say so
                continue
            is_short = kind in (QUERY, PARSE) and size < MOST_BYTES
            is_changed = self._moved is not None and is_short and not self._dropping
            if is_changed and total - position <= size:
                break
            if self._way.book.active or self._counted:
                head = min(size + 1, HEAD_BYTES if kind != COPY_DATA else HEADER_BYTES)
                if total - position < head:
                    break
                if self._stops_before(kind, size, bytes(buffer[position + HEADER_BYTES : position + head])):
                    break
            if not self._dropping:
                self._ask(kind)
            left = size + 1
            if is_changed and self._moved:
                server.send(buffer[begin:position])
                server.send(self._moved.message(bytes(buffer[position : position + left])))
                begin = position + left
        client.left = left
        return begin, position

    def _stops_before(self, kind: int, size: int, head: bytes) -> bool:
        """Count a message, and tell whether to stop before it."""
        if self._counted:
            self._counted = False
        else:
            met = self._way.book.arrived(self, kind, size - HEADER_BYTES + 1, head)
            self._stops = sorted(met, key=lambda planned: planned.spec.when == "after")
        if not self._stops or self._stops[0].spec.when == "after":
            return False
        self._counted = True
        self._stop = _Stop.DELIVERING
        return True

    def _ask(self, kind: int) -> None:
        replies = self._replies
        asked = replies.asked
        due = replies.ask(kind)
        if self._stops:
            self._stop = _Stop.ANSWERING
            self._flush_due = due in EXTENDED
            self._own_from = asked if due else NEVER
            # Flush has no answer of its own: it is done when everything before it is. CopyData is when it has arrived.
            self._own_to = replies.asked if due or kind == FLUSH else 0

    # --- from the server to the client

    def _read_server(self, server: Side) -> None:
        total = server.receive(self._buffer)
        client = self._client
        if total < 0:
            if client and not self._withholding:
                client.send(server.carry)
            self._lose_server(server)
        elif client:
            self._from_server(client, server, total)

    def _from_server(self, client: Side, server: Side, total: int) -> None:
        if self._answers.edits:
            end = self._answers.edit(server, total, client.send)
            server.carry = bytes(self._buffer[end:total])
            return
        answering = self._stop is _Stop.ANSWERING and not self._withholding
        own, end = self._answers.walk(server, total, until=self._own_from if answering else NEVER)
        own = 0 if self._withholding else own
        self._withholding = own != NEVER
        own = min(own, end)
        server.carry = bytes(self._buffer[end:total])
        client.send(self._buffer[:own])
        if own < end and not self._stops[0].cuts:
            client.hold_back(self._buffer[own:end])

    # --- stops

    def _look_at_stop(self) -> None:
        """Tell the plan when everything is delivered that comes before its point, and answered."""
        client, server = self._client, self._server
        if not client or not server or server.full:
            return
        if self._stop is _Stop.DELIVERING:
            self._stop = _Stop.BEFORE
            if isinstance(first := self._stops[0], Failing):
                self._fail(first, client, server)
            else:
                first.reach()
        elif self._stop is _Stop.ANSWERING and not client.left and self._replies.answered >= self._own_to:
            self._stop = _Stop.AFTER
            self._stops[0].reach()

    def _fail(self, planned: Failing, client: Side, server: Side) -> None:
        """Have the message before which we stand answered by an error, and go on."""
        error = planned.spec
        self._stops.remove(planned)
        planned.happened()
        if error.fatal:
            client.send(error_response(error.text, error.sqlstate))
            self.cut()
            return
        own = interjection(error, client.carry[0], planned.statement)
        for message in own.messages:
            self._answers.ask(message.kind, hidden=message.hidden)
            server.send(message.data)
        if own.renames:
            self._answers.put_instead(error_response(error.text, error.sqlstate, "ERROR"))
        self._dropping = own.replaces
        self._leave()

    def leave_stop(self, planned: Planned, *, cut: bool) -> bool:
        """Cut the connection, or let it go on when nothing else is planned here; return whether it goes on."""
        if planned in self._stops:
            first = planned is self._stops[0]
            self._stops.remove(planned)
            if cut:
                self.cut()
            elif first:
                self._leave()
        return not cut

    def _leave(self) -> None:
        behind = self._stop in (_Stop.ANSWERING, _Stop.AFTER)
        if behind and self._stops:
            self._stop = _Stop.ANSWERING
        else:
            self._stop = _Stop.NONE
            self._withholding = False
            if behind and self._client:
                self._client.send_held_back()
            self._go_on()
        self._settle()

    # --- the end

    def cut(self) -> None:
        """Close the client's side now; the server is given what was for it, and then told that nothing more comes."""
        self._lose_client()
        if not self._connected:
            self.close()
        self._settle()

    def _lose_client(self) -> None:
        client, self._client = self._client, None
        if client:
            client.close()
        self._stop = _Stop.NONE
        self._lose_stops()

    def _lose_server(self, server: Side) -> None:
        server.close()
        self._server = None
        self._stop = _Stop.NONE
        self._lose_stops()

    def _lose_stops(self) -> None:
        stops, self._stops = self._stops, []
        for planned in stops:
            planned.finish(cut=True)

    def close(self) -> None:
        """Close both sides now."""
        self._lose_client()
        server, self._server = self._server, None
        if server:
            server.close()
        self._connected = True  # no more attempts
        self._way.on_end(self)
