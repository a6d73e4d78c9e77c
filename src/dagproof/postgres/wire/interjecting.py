"""The messages by which a proxy lets the server raise an error where a client's message would have come.

An error that is made up has no effect on the transaction; so the server itself raises it, in the session of the
client, by a statement that does nothing else. In the extended protocol it skips what follows up to the next Sync then,
in the simple one it answers instead of the client's statement. In the midst of a COPY the COPY fails. A COMMIT that
fails is a ROLLBACK for the transaction, and an error for the client.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.postgres.wire.plans import Error
from dagproof.postgres.wire.protocol import (
    BIND,
    COPY_DATA,
    COPY_DONE,
    COPY_FAIL,
    EXECUTE,
    FUNCTION_CALL,
    PARSE,
    QUERY,
    message_of,
)

_names = itertools.count(1)


@dataclass(frozen=True)
class Own:
    """A message of the proxy's own, and whether the client sees its answer."""

    kind: int
    data: bytes
    hidden: bool


@dataclass(frozen=True)
class Interjection:
    """What the server gets before a message of the client's, or instead of it."""

    messages: tuple[Own, ...]
    replaces: bool
    """Whether the client's message does not reach the server."""
    renames: bool = False
    """Whether the server can raise just an error of its own there, so that the client gets the planned one instead."""


def interjection(error: Error, kind: int, statement: str) -> Interjection:
    """Return how `error` answers a message of this kind, which belongs to `statement`."""
    if kind in (COPY_DATA, COPY_DONE, COPY_FAIL):
        fail = message_of(b"f", error.text.encode() + b"\0")
        return Interjection((Own(COPY_FAIL, fail, hidden=False),), replaces=False, renames=True)
    texts = [*(["ROLLBACK"] if _commits(statement) else []), _raising(error)]
    if kind in (QUERY, FUNCTION_CALL):
        queries = (message_of(b"Q", text.encode() + b"\0") for text in texts)
        own = tuple(Own(QUERY, query, hidden=n < len(texts)) for n, query in enumerate(queries, start=1))
        return Interjection(own, replaces=True)
    return Interjection(tuple(own for text in texts for own in _executed(text)), replaces=False)


def _commits(statement: str) -> bool:
    """Tell whether a statement does nothing but end a transaction well."""
    words = statement.upper().strip("; ").split()
    return words[:1] in (["COMMIT"], ["END"]) and "PREPARED" not in words


def _raising(error: Error) -> str:
    text = error.text.replace("'", "''")
    raised = f"RAISE EXCEPTION USING ERRCODE = '{error.sqlstate}', MESSAGE = '{text}'"
    return f"DO $dagproof$ BEGIN {raised}; END $dagproof$"


def _executed(text: str) -> Iterator[Own]:
    """Yield the messages that execute a statement under a name that no client uses."""
    name = f"dagproof_{next(_names)}".encode()
    yield Own(PARSE, message_of(b"P", name + b"\0" + text.encode() + b"\0\0\0"), hidden=True)
    yield Own(BIND, message_of(b"B", name + b"\0" + name + b"\0" + b"\0\0" * 3), hidden=True)
    yield Own(EXECUTE, message_of(b"E", name + b"\0" + b"\0" * 4), hidden=True)
