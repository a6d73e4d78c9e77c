"""SQL that asks for the time is told that of the world; all else stays as it is, to the byte."""

from __future__ import annotations

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.postgres.wire import moved_sql
from dagproof.postgres.wire.clock import Moved
from dagproof.postgres.wire.protocol import read_startup


def day(days: int) -> str:
    """The beginning of a day, seen from today."""
    return f"(pg_catalog.date_trunc('day', dagproof.\"now\"()) + interval '{days} day')"


MOVED = [
    ("SELECT now()", 'SELECT dagproof."now"()'),
    ("SELECT NOW ( )", 'SELECT dagproof."now" ( )'),
    ("SELECT pg_catalog.now()", 'SELECT dagproof."now"()'),
    ("SELECT now()::date - 1", 'SELECT dagproof."now"()::date - 1'),
    ("SELECT extract(epoch FROM clock_timestamp())", 'SELECT extract(epoch FROM dagproof."clock_timestamp"())'),
    ("WHERE dt = CURRENT_DATE - 1", 'WHERE dt = dagproof."current_date"() - 1'),
    ("WHERE dt=current_date", 'WHERE dt=dagproof."current_date"()'),
    ("VALUES (CURRENT_TIMESTAMP, localtime)", 'VALUES (dagproof."current_timestamp"(), dagproof."localtime"())'),
    ("SELECT LOCALTIMESTAMP AT TIME ZONE 'UTC'", "SELECT dagproof.\"localtimestamp\"() AT TIME ZONE 'UTC'"),
    ("SELECT CURRENT_TIME(3)", 'SELECT dagproof."current_time"()::timetz(3)'),
    ("SELECT localtimestamp ( 0 ) - x", 'SELECT dagproof."localtimestamp"()::timestamp(0) - x'),
    ("SELECT CURRENT_TIMESTAMP(0)::date", 'SELECT dagproof."current_timestamp"()::timestamptz(0)::date'),
    ("SELECT extract(year FROM age(born))", 'SELECT extract(year FROM dagproof."age"(born))'),
    ("SELECT 1, AGE(now(), born)", 'SELECT 1, dagproof."age"(dagproof."now"(), born)'),
    ("SELECT timeofday()", 'SELECT dagproof."timeofday"()'),
    ("SELECT current_date AS current_date", 'SELECT dagproof."current_date"() AS current_date'),
    ("DO $$ BEGIN PERFORM now(); END $$", 'DO $$ BEGIN PERFORM dagproof."now"(); END $$'),
    ("WHERE dt = 'Today'::date", f"WHERE dt = {day(0)}::date"),
    ("WHERE dt = CAST(' yesterday ' AS timestamp)", f"WHERE dt = CAST({day(-1)} AS timestamp)"),
    ("WHERE dt < timestamptz 'tomorrow'", f"WHERE dt < {day(1)}::timestamptz"),
    ("SELECT date'now', now()", 'SELECT (dagproof."now"() + interval \'0\')::date, dagproof."now"()'),
    ("SELECT 'it''s', now()", "SELECT 'it''s', dagproof.\"now\"()"),
    (r"SELECT E'it\'s now()', now()", r"""SELECT E'it\'s now()', dagproof."now"()"""),
]

LEFT = [
    "SELECT 'today', 'now'::text, 'not now'::date, my.date 'today', 'it''s ''today'''::date",
    "SELECT 'today' AS date_of, \"'today'::date\", update 'today', 'today'::dates",
    'SELECT \'now()\', "now", "current_date", $1',
    "SELECT renow(), snow(1), now_or_never(), current_dates, my.now(), t.current_date, x$now()",
    "SELECT 1 -- since now()",
    "SELECT /* CURRENT_DATE\n now() */ 1",
    "SELECT 'left open now()",
    "INSERT INTO age(days) SELECT t.age, bandage(1), my.age(2), age FROM age",
    "CREATE TABLE age(days int)",
    "INSERT INTO knowledge (now) VALUES ('current_date')",
]


@pytest.mark.parametrize(("sql", "moved"), MOVED)
def test_what_asks_for_the_time_is_replaced(sql: str, moved: str) -> None:
    """Under each of its names, also in the body of a function."""
    assert moved_sql(sql.encode()) == moved.encode()


@pytest.mark.parametrize("sql", LEFT)
def test_what_only_looks_like_it_is_left(sql: str) -> None:
    """In what is quoted or said about the statement, and in longer names."""
    assert moved_sql(sql.encode()) == sql.encode()


@given(st.lists(st.sampled_from([sql for sql, _ in MOVED] + LEFT[:4] + ["é;", "\n"])))
def test_each_statement_is_replaced_as_if_it_were_alone(statements: list[str]) -> None:
    """Whatever comes before and after it."""
    alone = [moved_sql(f"{statement}\n;".encode()) for statement in statements]
    assert moved_sql("".join(f"{statement}\n;" for statement in statements).encode()) == b"".join(alone)


ASKS = re.compile(rb"(?i)now|_timestamp|current_|localtime|to|yester|age|timeofday")


@given(st.binary(max_size=300).filter(lambda data: not ASKS.search(data)))
def test_what_does_not_ask_passes_as_it_is(data: bytes) -> None:
    """Whatever its encoding."""
    assert moved_sql(data) == data


def test_a_message_says_how_long_it_has_become() -> None:
    """A Query, and a Parse with its name and its parameters' types; others pass as they are."""
    moved = Moved("shop", 1.5)
    for kind, before, after in ((b"Q", b"", b""), (b"P", b"s1\0", b"\0\1\0\0\0\x17")):
        body = before + b"SELECT now()\0" + after
        message = moved.message(kind + struct.pack("!I", len(body) + 4) + body)
        changed = before + b'SELECT dagproof."now"()\0' + after
        assert message == kind + struct.pack("!I", len(changed) + 4) + changed
    copied = b"d" + struct.pack("!I", 9) + b"now()"
    assert moved.message(copied) == copied


def test_a_session_is_told_how_far_ahead_it_is() -> None:
    """In the packet with which it begins."""
    packet = b"\0\3\0\0user\0me\0database\0shop\0\0"
    told = Moved("shop", -86400.25).startup(struct.pack("!I", len(packet) + 4) + packet)
    assert told[4:] == packet[:-1] + b"dagproof.ahead\0-86400.250000 seconds\0\0"
    startup = read_startup(told)
    assert startup is not None
    assert (startup.size, startup.database) == (len(told), "shop")
