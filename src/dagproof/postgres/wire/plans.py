"""What is to happen at which message, what has been seen, and the book in which a lane keeps both."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dagproof.errors import UsageError, nearest
from dagproof.postgres.wire.protocol import (
    BIND,
    CLIENT_KINDS,
    COPY_DATA,
    COPY_DONE,
    EXECUTE,
    FUNCTION_CALL,
    PARSE,
    QUERY,
    name_of,
    text_of,
)

_WHENS = ("before", "after")
_ACTIONS = ("cut", "call")
#: The messages that the server can answer by an error, each by itself.
_FAILING = (QUERY, PARSE, BIND, EXECUTE, FUNCTION_CALL, COPY_DATA, COPY_DONE)
#: What differs between two statements of one shape.
_LITERAL = re.compile(r"'[^']*'?|\d+")


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a client's, after its authentication.

    `index` counts from 1 over all connections of the lane, in the order in which the proxy met them; `connection`
    from 1 in the order in which they first spoke. `text` is the beginning of the SQL of a Query or Parse, the name of
    the statement that a Bind is for, the number of bytes of CopyData. `size` is that of the body, in bytes. `time` is
    when it came, by the machine's monotonic clock.
    """

    index: int
    kind: str
    text: str
    connection: int
    database: str
    size: int
    time: float = 0.0


@dataclass(frozen=True)
class Fault:
    """Something that happens at message `at`, counted from 1 from when it is planned.

    ``before``: the server has got all messages before this one, and does not get this one. ``after``: the server has
    got it and is done with it, and the client does not get the reply. `replies.Replies` says where the reply of each
    kind ends; for what the server would answer only at the next Sync, the proxy sends a Flush of its own. CopyData and
    Terminate have no reply: they are done with when their last byte is with the server's socket. After a cut the server
    reads to the end of what it got, so ``after`` CopyData leaves the same as ``before`` the message that follows it.

    ``cut`` closes the connection: at once for the client; for the server the way a client closes it that has nothing
    more to say, so that it still processes all that it was given. ``call`` calls `callback` in a thread of its own
    while the connection is held and others go on; then the message or the reply passes, unless it returned ``"cut"``.
    A callback that kills the client should return that: what a client has sent arrives, also when it is dead.
    """

    at: int
    when: str = "before"
    action: str = "cut"
    callback: Callable[[], str | None] | None = None
    database: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could never happen."""
        _check(self.at, self.when)
        if self.action not in _ACTIONS:
            raise UsageError(f"A fault's action is not {self.action!r}{nearest(self.action, _ACTIONS)}.")
        if self.action == "call" and not self.callback:
            raise UsageError("A fault whose action is 'call' needs a callback: there is none to call.")


@dataclass(frozen=True)
class Hold:
    """A stop at message `at`, counted from 1 from when it is planned, until it is released; others go on."""

    at: int
    when: str = "before"
    database: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could never happen."""
        _check(self.at, self.when)


@dataclass(frozen=True)
class Error:
    """An error with which the server answers message `at`, counted from 1 from when it is planned.

    The server itself raises it, in the client's transaction: what is left of that is PostgreSQL's own business. Where
    it is `fatal`, the session ends with it. One that is `lasting` meets each message with the same statement from then
    on, in whatever session.
    """

    at: int
    sqlstate: str
    text: str
    fatal: bool = False
    lasting: bool = False
    reached: Callable[[], None] | None = None
    """What to do when it happens for the first time."""
    database: str | None = None
    when: str = field(default="before", init=False)

    def __post_init__(self) -> None:
        """Refuse what could never happen, and what is not SQLSTATE: it becomes part of a statement."""
        _check(self.at, self.when)
        if not re.fullmatch(r"[0-9A-Z]{5}", self.sqlstate):
            raise UsageError(f"{self.sqlstate!r} is not an SQLSTATE: five digits or capital letters.")


def _check(at: int, when: str) -> None:
    if at < 1:
        raise UsageError(f"A fault at message {at} never happens: messages are counted from 1.")
    if when not in _WHENS:
        raise UsageError(f"A fault does not happen {when!r} a message{nearest(when, _WHENS)}.")


class Stoppable(Protocol):
    """A connection, as far as a plan knows it: the proxy's number for it, its database, and how it goes on."""

    number: int

    @property
    def database(self) -> str:
        """The database that the client asked for."""

    def leave_stop(self, planned: Planned, *, cut: bool) -> bool:
        """Go on after a stop, or close the connection; return whether the message or the reply passed."""


class Planned:
    """A `Fault` that a lane will meet, and what has become of it.

    `message` is the one that it met, None before. `reached` tells that a connection stands there; `wait_done` that it
    is over: the connection was cut or lost, or the message or the reply passed on, which `passed` tells.
    """

    def __init__(self, spec: Fault | Hold | Error, post: Callable[[Callable[[], None]], None], book: Book) -> None:
        self.spec = spec
        self.message: Message | None = None
        self.passed = False
        self._post = post
        self._book = book
        self._seen = 0
        self._connection: Stoppable | None = None
        self._reached = threading.Event()
        self._done = threading.Event()

    @property
    def reached(self) -> bool:
        """Whether a connection has come to the point."""
        return self._reached.is_set()

    def wait_reached(self, timeout: float) -> bool:
        """Wait until a connection has come to the point; False when none did in `timeout` seconds."""
        return self._reached.wait(timeout)

    def wait_done(self, timeout: float) -> bool:
        """Wait until it is over; False when it was not in `timeout` seconds."""
        return self._done.wait(timeout)

    # The rest is for the loop's thread.

    @property
    def cuts(self) -> bool:
        """Whether the connection is lost in any case."""
        return isinstance(self.spec, Fault) and self.spec.action == "cut"

    def counts(self, database: str, kind: int, statement: str) -> bool:
        """Count a message of this kind, which belongs to a statement, and tell whether it is the one."""
        if self.spec.database not in (None, database):
            return False
        self._seen += 1
        return self._seen == self.spec.at

    def meet(self, connection: Stoppable, message: Message) -> None:
        """Note that this is the message."""
        self._connection = connection
        self.message = message

    def reach(self) -> None:
        """Do what was planned."""
        self._reached.set()
        if self.cuts:
            self.finish(cut=True)
        elif isinstance(self.spec, Fault):
            threading.Thread(target=self._call, name="dagproof-wire-callback", daemon=True).start()

    def _call(self) -> None:
        answer = None
        try:
            if isinstance(self.spec, Fault) and self.spec.callback:
                answer = self.spec.callback()
        finally:
            self._post(lambda: self.finish(cut=answer == "cut"))

    def finish(self, *, cut: bool) -> None:
        """Let the connection go on, or cut it; nothing when it is over already."""
        connection, self._connection = self._connection, None
        self._book.forget(self)
        if connection:
            self.passed = connection.leave_stop(self, cut=cut)
        self._done.set()


class Held(Planned):
    """A `Hold` that a lane will meet: `release` it, or `cut` it."""

    def release(self) -> None:
        """Let the message or the reply pass; a hold that no message has met is taken back."""
        self._post(lambda: self.finish(cut=False))

    def cut(self) -> None:
        """Close the connection instead; a hold that no message has met is taken back."""
        self._post(lambda: self.finish(cut=True))


class Failing(Planned):
    """An `Error` that a lane will meet; one that is lasting stays in the book."""

    spec: Error
    statement = ""
    """The statement that has met it."""
    _due = False

    def counts(self, database: str, kind: int, statement: str) -> bool:
        """Count a message, and tell whether it is the one, or of the same statement as that.

        What only asks for answers, or says goodbye, is no place for an error: it comes with the next statement.
        """
        self._due = super().counts(database, kind, statement) or self._due
        if kind not in _FAILING:
            return False
        if self._due:
            self.statement, self._due = statement, False
            return True
        return self.spec.lasting and bool(self.statement) and _shape(statement) == _shape(self.statement)

    def happened(self) -> None:
        """Note that a connection has met it."""
        if not self.reached and self.spec.reached:
            self.spec.reached()
        self._reached.set()
        if not self.spec.lasting:
            self.finish(cut=False)

    def finish(self, *, cut: bool) -> None:
        """Be over, unless it lasts."""
        self._connection = None
        if not (self.spec.lasting and cut):  # where it lasts, this client is lost, and others come
            super().finish(cut=cut)


def _shape(statement: str) -> str:
    return _LITERAL.sub("?", statement)


class Watch:
    """A record of the messages of a lane, from when it was begun until it is stopped."""

    def __init__(self, database: str | None, stop: Callable[[Watch], None], catch_up: Callable[[], None]) -> None:
        self.database = database
        self._stop = stop
        self._catch_up = catch_up
        self._messages: list[Message] = []

    @property
    def messages(self) -> tuple[Message, ...]:
        """What has been seen so far, and what has arrived and was not looked at yet."""
        self._catch_up()
        return tuple(self._messages)

    def stop(self) -> None:
        """See no more."""
        self._stop(self)

    def add(self, kind: str, text: str, connection: int, database: str, size: int, moment: float) -> None:
        """Note a message."""
        self._messages.append(Message(len(self._messages) + 1, kind, text, connection, database, size, moment))


class Book:
    """What a lane watches for. Used by the loop's thread only."""

    def __init__(self) -> None:
        self.watches: list[Watch] = []
        self.plans: list[Planned] = []
        self._numbers: dict[int, int] = {}
        self._prepared: dict[tuple[int, str], str] = {}

    @property
    def active(self) -> bool:
        """Whether messages have to be counted at all."""
        return bool(self.watches or self.plans)

    def arrived(self, connection: Stoppable, kind: int, size: int, head: bytes) -> Sequence[Planned]:
        """Note a message that a client wants to send, and return what is planned for it."""
        if kind not in CLIENT_KINDS:
            return ()  # a password, or nothing that we know
        statement = self._statement_of(connection.number, kind, size, head)
        met = [planned for planned in self.plans if planned.counts(connection.database, kind, statement)]
        watches = [watch for watch in self.watches if watch.database in (None, connection.database)]
        if met or watches:
            number = self._numbers.setdefault(connection.number, len(self._numbers) + 1)
            rest = (CLIENT_KINDS[kind], text_of(kind, size, head), number, connection.database, size, time.monotonic())
            for watch in watches:
                watch.add(*rest)
            for planned in met:
                planned.meet(connection, Message(planned.spec.at, *rest))
        return met

    def _statement_of(self, connection: int, kind: int, size: int, head: bytes) -> str:
        """Return the statement that a Query, Parse or Bind is about; an empty text for other messages."""
        if kind == BIND:
            return self._prepared.get((connection, text_of(kind, size, head)), "")
        if kind not in (QUERY, PARSE):
            return ""
        text = text_of(kind, size, head)
        if kind == PARSE:
            self._prepared[connection, name_of(head)] = text
        return text

    def forget(self, planned: Planned) -> None:
        """Watch for this no longer."""
        if planned in self.plans:
            self.plans.remove(planned)

    def clear(self) -> None:
        """Forget everything, and let go on who is held."""
        self.watches.clear()
        self._numbers.clear()
        self._prepared.clear()
        for planned in tuple(self.plans):
            planned.finish(cut=False)
