"""The proxy's connection, driven step by step: the same bytes and the same faults, wherever the network cuts them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.postgres.wire import Fault, Hold, Planned
from dagproof.postgres.wire.connection import Connection
from dagproof.postgres.wire.plans import Book, Held, Watch
from dagproof.postgres.wire.protocol import CLIENT_KINDS
from dagproof.postgres.wire.way import Address, Way

STARTUP = struct.pack("!II", 29, 196608) + b"user\0me\0database\0w\0\0"
STARTUP = struct.pack("!I", len(STARTUP)) + STARTUP[4:]
WELCOME = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\5I"

Cutter = Callable[[bytes], list[bytes]]


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


class StepLoop:
    """A loop without a thread: `turn` lets happen what is ready."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()

    def want(self, sock: socket.socket, before: int, events: int, handler: Callable[[int], None]) -> None:
        if not before:
            self.selector.register(sock, events, handler)
        elif events:
            self.selector.modify(sock, events, handler)
        else:
            self.selector.unregister(sock)

    def turn(self) -> None:
        while self.selector.get_map() and (ready := self.selector.select(0)):
            for key, events in ready:
                key.data(events)


class ModelServer:
    """Answers as PostgreSQL does: batches of the extended protocol when a Sync or Flush comes, Query at once."""

    ANSWERS = {  # noqa: RUF012
        "P": message("1"),
        "B": message("2"),
        "C": message("3"),
        "D": message("t", b"\0\0") + message("T", b"\0\0"),
        "E": message("D", b"row") * 3 + message("C", b"SELECT 3\0"),
        "Q": message("T", b"\0\0") + message("D", b"\0") * 2 + message("C", b"SELECT 2\0") + message("Z", b"I"),
        "F": message("V", b"\0\0\0\0") + message("Z", b"I"),
        "S": message("Z", b"I"),
    }

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.unread = b""
        self.unsent = b""

    def feed(self, data: bytes) -> bytes:
        """Take what a client sent, and return what the server says to it now."""
        said = b""
        self.unread += data
        while len(self.unread) >= 5 and len(self.unread) > (size := struct.unpack_from("!I", self.unread, 1)[0]):
            one, self.unread = self.unread[: size + 1], self.unread[size + 1 :]
            self.got.append(one)
            kind = chr(one[0])
            self.unsent += self.ANSWERS.get(kind, b"")
            if kind in "QFSH":
                said += self.unsent
                self.unsent = b""
        return said


def upstream(stack: ExitStack) -> tuple[socket.socket, list[Address]]:
    """A place to connect to: a Unix socket, which delivers at once what is sent."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(f"{folder}/s")
    listener.listen()
    return listener, [(socket.AF_UNIX, f"{folder}/s")]


class Rig:
    """A client, a connection of the proxy, and a server."""

    def __init__(self, stack: ExitStack) -> None:
        self.loop, self.book, self.model = StepLoop(), Book(), ModelServer()
        listener, addresses = upstream(stack)
        self.client, theirs = socket.socketpair()
        stack.enter_context(self.client)
        self.ended: list[Connection] = []
        way = Way(self.loop, self.book, addresses, memoryview(bytearray(2**16)), self.ended.append)  # type: ignore[arg-type]  # a loop by shape
        self.connection = Connection(way, 1, theirs)
        stack.callback(self.connection.close)
        self.client.setblocking(False)
        self.client.send(STARTUP)
        self.loop.turn()
        self.server, _ = listener.accept()
        stack.enter_context(self.server)
        self.server.setblocking(False)
        self.loop.turn()
        assert self.server.recv(1000) == STARTUP
        self.server_ended = False
        self.say(WELCOME)
        assert self.hear() == WELCOME

    def say(self, data: bytes) -> None:
        """Let the server say something."""
        try:
            self.server.sendall(data)
        except OSError:
            self.server_ended = True
        self.loop.turn()

    def hear(self) -> bytes:
        """What the client hears."""
        heard = b""
        try:
            while some := self.client.recv(2**16):
                heard += some
        except (BlockingIOError, ConnectionResetError):
            pass
        return heard

    def send(self, data: bytes, pieces: Cutter) -> None:
        """Let the client send something, and the server answer it as far as it arrives, both in pieces."""
        for piece in pieces(data):
            try:
                self.client.send(piece)
            except OSError:
                break
            self.loop.turn()
            self.serve(pieces)

    def serve(self, pieces: Cutter) -> None:
        try:
            while got := self.server.recv(2**16):
                for piece in pieces(self.model.feed(got)):
                    self.say(piece)
            self.server_ended = True
        except OSError:
            pass
        if self.server_ended:
            self.server.close()
            self.loop.turn()

    def plan(self, spec: Fault | Hold) -> Planned:
        planned = (Held if isinstance(spec, Hold) else Planned)(spec, lambda function: function(), self.book)
        self.book.plans.append(planned)
        return planned


@contextmanager
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack)


KINDS = [chr(kind) for kind in CLIENT_KINDS if chr(kind) not in "cfX"]
messages = st.lists(st.builds(message, st.sampled_from(KINDS), st.binary(max_size=12)), min_size=1, max_size=12)


def cutter(sizes: list[int]) -> Cutter:
    """A way to cut bytes into pieces of these sizes, over and over."""

    def pieces(data: bytes) -> list[bytes]:
        found, n = [], 0
        while data:
            size = sizes[n % len(sizes)]
            n += 1
            found.append(data[:size])
            data = data[size:]
        return found

    return pieces


cuts = st.lists(st.integers(1, 30), min_size=1, max_size=4).map(cutter)


@given(messages, cuts)
def test_everything_passes_and_is_counted_wherever_it_is_cut(sent: list[bytes], pieces: Cutter) -> None:
    """The server gets the client's bytes, the client gets the server's, and a watch sees each message once."""
    with rig() as it:
        watch = Watch(None, lambda watch: None, it.loop.turn)
        it.book.watches.append(watch)
        it.send(b"".join(sent), pieces)
        assert it.model.got == sent
        assert it.hear() == ModelServer().feed(b"".join(sent))
        assert [(m.index, m.kind, m.size) for m in watch.messages] == [
            (n, CLIENT_KINDS[one[0]], len(one) - 5) for n, one in enumerate(sent, start=1)
        ]


@given(messages, cuts, st.data())
def test_a_cut_before_a_message_is_exactly_there(sent: list[bytes], pieces: Cutter, data: st.DataObject) -> None:
    """The server gets what comes before it, and then the end; nothing of it, and nothing behind it."""
    at = data.draw(st.integers(1, len(sent)))
    with rig() as it:
        planned = it.plan(Fault(at=at))
        it.send(b"".join(sent), pieces)
        it.serve(pieces)
        assert it.model.got == sent[: at - 1]
        assert it.model.unread == b""
        assert it.server_ended
        assert planned.message
        assert planned.message.kind == CLIENT_KINDS[sent[at - 1][0]]
        assert it.ended


def answers_before(sent: list[bytes], at: int) -> bytes:
    """What a server says to the messages before one, if it keeps nothing to itself."""
    return ModelServer().feed(b"".join([*sent[: at - 1], message("H")]))


@given(messages, cuts, st.data())
def test_a_cut_after_a_message_loses_its_answer_only(sent: list[bytes], pieces: Cutter, data: st.DataObject) -> None:
    """The server gets it whole, and the client no byte of its answer, but all answers before it."""
    at = data.draw(st.integers(1, len(sent)))
    with rig() as it:
        planned = it.plan(Fault(at=at, when="after"))
        it.send(b"".join(sent), pieces)
        it.serve(pieces)
        assert planned.reached
        assert [one for one in it.model.got if one != message("H")] == [one for one in sent[:at] if one != message("H")]
        assert it.server_ended
        heard = it.hear()
        assert answers_before(sent, at).startswith(heard)
        if chr(sent[at - 1][0]) in ModelServer.ANSWERS:
            assert heard == answers_before(sent, at)


@given(messages, cuts, st.sampled_from(["before", "after"]), st.data())
def test_a_hold_changes_nothing_once_it_is_released(
    sent: list[bytes], pieces: Cutter, when: str, data: st.DataObject
) -> None:
    """What was held back comes, in order, and so does what follows."""
    at = data.draw(st.integers(1, len(sent)))
    with rig() as it:
        held = it.plan(Hold(at=at, when=when))
        assert isinstance(held, Held)
        it.send(b"".join(sent), pieces)
        assert held.reached
        before = it.hear()
        if when == "before":
            assert it.model.got == sent[: at - 1]
        held.release()
        it.loop.turn()
        it.serve(pieces)
        assert held.passed
        flushed = [one for one in it.model.got if one != message("H")]
        assert flushed == [one for one in sent if one != message("H")]
        everything = ModelServer().feed(b"".join([*sent, message("H")]))
        heard = before + it.hear()
        assert everything.startswith(heard)
        assert heard.startswith(ModelServer().feed(b"".join(sent)))


def test_several_plans_for_one_message_happen_one_after_the_other() -> None:
    """Held before it, held after it, then cut."""
    one_piece = cutter([10_000])
    with rig() as it:
        first, second, third = (
            it.plan(Hold(at=1)),
            it.plan(Hold(at=1, when="after")),
            it.plan(Fault(at=1, when="after")),
        )
        assert isinstance(first, Held)
        assert isinstance(second, Held)
        it.send(message("Q", b"SELECT 1\0"), one_piece)
        assert (first.reached, second.reached, it.model.got) == (True, False, [])
        first.release()
        it.loop.turn()
        it.serve(one_piece)
        assert (second.reached, third.reached, len(it.model.got)) == (True, False, 1)
        second.release()
        it.loop.turn()
        assert third.reached
        assert it.hear() == b""


def test_a_reply_of_megabytes_is_held_back_and_then_passed_on() -> None:
    """More than is kept in memory goes to a file, and comes out of it unchanged."""
    rows = b"".join(message("D", bytes([n % 256]) * 100_000) for n in range(50))
    with rig() as it:
        held = it.plan(Hold(at=1, when="after"))
        assert isinstance(held, Held)
        it.client.send(message("Q", b"SELECT 1\0"))
        it.loop.turn()
        answer = message("T", b"\0\0") + rows + message("Z", b"I")
        for start in range(0, len(answer), 50_000):
            it.say(answer[start : start + 50_000])
        assert held.reached
        assert it.hear() == b""
        held.release()
        heard = b""
        while len(heard) < len(answer) and (some := it.hear()):
            heard += some
            it.loop.turn()
        assert heard == answer


@pytest.mark.parametrize("slow", ["client", "server"])
def test_who_does_not_read_slows_down_who_writes(slow: str) -> None:
    """The proxy keeps some of it, and no more: the other side has to wait; nothing is lost."""
    one = message("D" if slow == "client" else "d", b"x" * 59_995)
    with rig() as it:
        reader, writer = (it.client, it.server) if slow == "client" else (it.server, it.client)
        sent = read = 0
        for _ in range(1000):
            with contextlib.suppress(BlockingIOError):
                sent += writer.send(one[sent % 60_000 :])
            it.loop.turn()
        assert 100_000 < sent < 2_000_000
        while read < sent:
            read += len(reader.recv(2**20))
            it.loop.turn()
        assert read == sent


def test_a_servers_last_words_pass_even_if_they_are_no_message() -> None:
    """One that cannot fork says so without a length."""
    with rig() as it:
        it.say(b"Eno")
        it.server.close()
        it.loop.turn()
        assert it.hear() == b"Eno"
        assert it.ended


@pytest.mark.parametrize("code", [80877103, 80877104], ids=["ssl", "gssenc"])
def test_encryption_is_refused_as_a_server_without_it_does(code: int) -> None:
    """With one byte; then the client may go on without."""
    with ExitStack() as stack:
        client, theirs = socket.socketpair()
        stack.enter_context(client)
        loop = StepLoop()
        ended: list[Connection] = []
        _, addresses = upstream(stack)
        way = Way(loop, Book(), addresses, memoryview(bytearray(2**16)), ended.append)  # type: ignore[arg-type]  # a loop by shape
        connection = Connection(way, 1, theirs)
        stack.callback(connection.close)
        client.send(struct.pack("!II", 8, code))
        loop.turn()
        assert client.recv(10) == b"N"
        client.send(STARTUP)
        loop.turn()
        assert connection.database == "w"


def test_a_tls_handshake_without_a_request_is_refused_in_words() -> None:
    """Instead of waiting for a packet of 369 megabytes."""
    with ExitStack() as stack:
        client, theirs = socket.socketpair()
        stack.enter_context(client)
        loop = StepLoop()
        ended: list[Connection] = []
        way = Way(loop, Book(), [], memoryview(bytearray(2**16)), ended.append)  # type: ignore[arg-type]  # a loop by shape
        Connection(way, 1, theirs)
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        loop.turn()
        assert b"first packet" in client.recv(1000)
        assert ended
