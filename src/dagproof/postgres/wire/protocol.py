"""PostgreSQL's protocol, version 3, as far as a proxy has to understand it: where messages begin, and what they are."""

from __future__ import annotations

import struct
from dataclasses import dataclass

#: What a client can send, by the message's first byte.
CLIENT_KINDS = {
    ord("Q"): "Query",
    ord("P"): "Parse",
    ord("B"): "Bind",
    ord("D"): "Describe",
    ord("E"): "Execute",
    ord("C"): "Close",
    ord("H"): "Flush",
    ord("S"): "Sync",
    ord("d"): "CopyData",
    ord("c"): "CopyDone",
    ord("f"): "CopyFail",
    ord("F"): "FunctionCall",
    ord("X"): "Terminate",
}
QUERY, PARSE, BIND, DESCRIBE, EXECUTE, CLOSE, FLUSH, SYNC = b"QPBDECHS"
COPY_DATA, COPY_DONE, COPY_FAIL, FUNCTION_CALL, TERMINATE = b"dcfFX"

# What a server sends, as far as it matters here: most of it is only passed on.
READY, ERROR, COPY_IN, COPY_BOTH = b"ZEGW"
ROWS = frozenset(b"Dd")  # DataRow and CopyData: the many

HEADER_BYTES = 5  # a byte for the kind, four for the length, which counts itself
HEAD_BYTES = 400  # how much of a body is looked at for a message's text
TEXT_CHARACTERS = 100
FLUSH_MESSAGE = b"H\0\0\0\4"

length_at = struct.Struct("!I").unpack_from

_SSL, _GSSENC, _CANCEL = 80877103, 80877104, 80877102
_STARTUP_BYTES = 10_000  # a server takes no more either


class NotPostgresError(Exception):
    """What a client sent first is no start of PostgreSQL's protocol."""


@dataclass(frozen=True)
class Startup:
    """A connection's first packet: `kind` is ``"encryption"``, ``"cancel"`` or ``"session"``."""

    kind: str
    size: int
    database: str = ""


def read_startup(data: bytes) -> Startup | None:
    """Return what the first packet in `data` asks for, or None while it is incomplete.

    Raises:
        NotPostgresError: it asks for nothing that a server understands, a TLS handshake without SSLRequest for one.
    """
    if len(data) < 8:
        return None
    size, code = struct.unpack_from("!II", data)
    if not 8 <= size <= _STARTUP_BYTES:
        raise NotPostgresError(f"The first packet claims to have {size} bytes; a server takes 8 to {_STARTUP_BYTES}.")
    if code in (_SSL, _GSSENC):
        return Startup("encryption", size)
    if len(data) < size:
        return None
    if code == _CANCEL:
        return Startup("cancel", size)
    fields = data[8:size].split(b"\0")
    named = {name.decode(errors="replace"): value for name, value in zip(fields[::2], fields[1::2], strict=False)}
    database = named.get("database") or named.get("user", b"")
    return Startup("session", size, database.decode(errors="replace"))


def error_response(text: str, sqlstate: str = "57P03", severity: str = "FATAL") -> bytes:
    """Return the ErrorResponse with which a server refuses a connection (57P03: cannot connect now)."""
    fields = (f"S{severity}", f"V{severity}", f"C{sqlstate}", f"M{text}")
    return message_of(b"E", b"".join(field.encode() + b"\0" for field in fields) + b"\0")


def message_of(kind: bytes, body: bytes) -> bytes:
    """Return a message of this kind with this body."""
    return kind + struct.pack("!I", len(body) + 4) + body


def text_of(kind: int, size: int, head: bytes) -> str:
    """Return a short text for a client's message, from its first byte, its body's size and the body's beginning."""
    if kind == QUERY:
        return _one_line(head)
    if kind == PARSE:
        return _one_line(head.partition(b"\0")[2])
    if kind == BIND:
        return name_of(head.partition(b"\0")[2])
    if kind in (DESCRIBE, CLOSE):
        return f"{'statement' if head[:1] == b'S' else 'portal'} {name_of(head[1:])}".rstrip()
    if kind in (EXECUTE, COPY_FAIL):
        return name_of(head)
    return f"{size:,} bytes" if kind == COPY_DATA else ""


def _one_line(head: bytes) -> str:
    sql, end, _ = head.partition(b"\0")
    text = " ".join(sql.decode(errors="replace").split())
    cut = not end or len(text) > TEXT_CHARACTERS
    return text[:TEXT_CHARACTERS] + "…" if cut else text


def name_of(head: bytes) -> str:
    """Return the name with which a body begins: of a statement for a Parse, of a portal for an Execute."""
    return head.partition(b"\0")[0].decode(errors="replace")[:TEXT_CHARACTERS]
