"""PostgreSQL's clock, moved: what SQL calls the current time is that of the world.

A server has no clock of its own that could be set. So each name by which SQL asks for the time is replaced, on its way
to the server, by that of a function in the schema ``dagproof`` of the world's database, which adds what its session was
told at the start. So are ``'now'``, ``'today'`` and their likes where the statement makes them a date or a timestamp,
as in ``'today'::date``; not where only the column that they are compared with does. And so is ``age(x)``, which counts
from today when it gets one argument.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from dagproof.postgres.wire.beyond import held_sql
from dagproof.postgres.wire.protocol import HEADER_BYTES, PARSE, QUERY

#: The setting that tells a session how far ahead the clock is.
_AHEAD = "dagproof.ahead"

#: The names of the time, each with the one that it is made of, its type, and whether it goes on within a statement.
_CLOCKS = (
    ("now", "now", "timestamptz", "STABLE"),
    ("transaction_timestamp", "now", "timestamptz", "STABLE"),
    ("statement_timestamp", "statement_timestamp", "timestamptz", "STABLE"),
    ("clock_timestamp", "clock_timestamp", "timestamptz", "VOLATILE"),
    ("current_timestamp", "now", "timestamptz", "STABLE"),
    ("current_date", "now", "date", "STABLE"),
    ("current_time", "now", "timetz", "STABLE"),
    ("localtimestamp", "now", "timestamp", "STABLE"),
    ("localtime", "now", "time", "STABLE"),
)
_TYPES = {name.encode(): kind.encode() for name, _, kind, _ in _CLOCKS}

#: Makes the functions; each has the name of what it stands for, which is what a column of a SELECT is called then.
FUNCTIONS = f"""
CREATE SCHEMA dagproof;
GRANT USAGE ON SCHEMA dagproof TO PUBLIC;
CREATE FUNCTION dagproof.ahead() RETURNS interval LANGUAGE sql STABLE
    AS $$ SELECT coalesce(nullif(pg_catalog.current_setting('{_AHEAD}', true), ''), '0')::interval $$;
""" + "".join(
    f"""
CREATE FUNCTION dagproof."{name}"() RETURNS {kind} LANGUAGE sql {volatility}
    AS $$ SELECT (pg_catalog.{source}() + dagproof.ahead())::{kind} $$;
"""
    for name, source, kind, volatility in _CLOCKS
)
FUNCTIONS += """
CREATE FUNCTION dagproof.timeofday() RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT pg_catalog.to_char(dagproof.clock_timestamp(), 'Dy Mon DD HH24:MI:SS.US YYYY TZ') $$;
CREATE FUNCTION dagproof.age(xid) RETURNS integer LANGUAGE sql STABLE AS $$ SELECT pg_catalog.age($1) $$;
"""
for _kind in ("timestamptz", "timestamp"):
    FUNCTIONS += f"""
CREATE FUNCTION dagproof.age({_kind}, {_kind}) RETURNS interval LANGUAGE sql STABLE STRICT
    AS $$ SELECT pg_catalog.age($1, $2) $$;
CREATE FUNCTION dagproof.age({_kind}) RETURNS interval LANGUAGE sql STABLE STRICT
    AS $$ SELECT pg_catalog.age(dagproof.current_date()::{_kind}, $1) $$;
"""

#: Messages up to this size are looked into: a longer one is data, and passes as it is.
MOST_BYTES = 64 * 2**10

_ASKS = re.compile(
    rb"(?i)\bnow\s*\(|_timestamp\b|\bcurrent_(?:date|time)|\blocaltime|'\s*(?:now|to|yester)|\bage\(|\btimeofday\("
)
_LITERAL = rb"'\s*(?:now|today|tomorrow|yesterday)\s*'"
_MOMENT = rb"(?:date|timestamptz|timestamp(?:\s+with(?:out)?\s+time\s+zone)?)(?![\w$])"
_TOKENS = re.compile(
    rb"(?<!')(?P<cast>" + _LITERAL + rb")(?=\s*::\s*" + _MOMENT + rb"|\s+as\s+" + _MOMENT + rb")"
    rb"|(?<![\w$.])(?P<type>" + _MOMENT + rb")\s*(?P<typed>" + _LITERAL + rb")"
    rb"""
    | \be'(?:[^'\\]|\\.|'')*(?:'|\Z)        # what is quoted, or said about the statement, asks for nothing
    | '(?:[^']|'')*(?:'|\Z)
    | "(?:[^"]|"")*(?:"|\Z)
    | --[^\n]*
    | /\*.*?(?:\*/|\Z)
    | (?<![\w$.])(?:pg_catalog\s*\.\s*)?
      (?:(?P<call>now|(?:clock|statement|transaction)_timestamp)(?=\s*\()
        |(?P<function>age|timeofday)(?=\()
        |(?P<word>current_(?:date|timestamp|time)|localtimestamp|localtime)(?![\w$])
         (?:\s*\(\s*(?P<digits>\d)\s*\)|(?!\s*\()))
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_LABEL = re.compile(rb"(?i)\bas\s+\Z")
#: Behind these stands the name of a table, or of something that is being made.
_NAMED = re.compile(rb"(?i)\b(?:as|copy|exists|function|into|only|references|table|view|with)\s+\Z")


@dataclass(frozen=True)
class Moved:
    """By how much the clock is ahead in the sessions of one database."""

    database: str
    seconds: float

    def startup(self, packet: bytes) -> bytes:
        """Return a session's first packet with what the functions need to know."""
        body = packet[4:-1] + f"{_AHEAD}\0{self.seconds:.6f} seconds\0".encode() + b"\0"
        return struct.pack("!I", len(body) + 4) + body

    def message(self, message: bytes) -> bytes:
        """Return a Query or Parse message with the time of the world, by which the server acts in the world alone."""
        kind, body = message[0], message[HEADER_BYTES:]
        start = body.index(b"\0") + 1 if kind == PARSE and b"\0" in body else 0
        end = body.find(b"\0", start)
        text = body[start:end]
        if kind not in (QUERY, PARSE) or end < 0 or (moved := held_sql(moved_sql(text))) == text:
            return message
        body = body[:start] + moved + body[end:]
        return message[:1] + struct.pack("!I", len(body) + 4) + body


def moved_sql(text: bytes) -> bytes:
    """Return SQL that asks for the world's time where it asked for the current one."""
    return _TOKENS.sub(_replaced, text) if _ASKS.search(text) else text


def _replaced(found: re.Match[bytes]) -> bytes:
    if cast := found["cast"]:
        return _moment(cast)
    if typed := found["typed"]:
        return _moment(typed) + b"::" + found["type"]
    if call := found["call"]:
        return b'dagproof."' + call.lower() + b'"'
    if function := found["function"]:
        is_name = _NAMED.search(found.string, 0, found.start())
        return found[0] if is_name else b'dagproof."' + function.lower() + b'"'
    word = (found["word"] or b"").lower()
    if not word or _LABEL.search(found.string, 0, found.start()):
        return found[0]
    asked = b'dagproof."' + word + b'"()'
    digits = found["digits"]
    return asked if digits is None else asked + b"::" + _TYPES[word] + b"(" + digits + b")"


def _moment(literal: bytes) -> bytes:
    """Return what a literal stands for, as a sum: that has no name of its own, as a literal has none."""
    word = literal.strip(b"' \t\r\n").lower().decode()
    if word == "now":
        return b"(dagproof.\"now\"() + interval '0')"
    days = {"yesterday": -1, "today": 0, "tomorrow": 1}[word]
    return f"(pg_catalog.date_trunc('day', dagproof.\"now\"()) + interval '{days} day')".encode()
