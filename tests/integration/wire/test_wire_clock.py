"""SQL is told the world's time, whichever client asks, and however."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy

from dagproof.postgres.wire import FUNCTIONS

from .conftest import Place

THEN = datetime(2031, 3, 4, 12, tzinfo=timezone.utc)
SQL = "SELECT now(), CURRENT_TIMESTAMP, clock_timestamp(), statement_timestamp(), transaction_timestamp()"

Ask = Callable[[str, str], list[Any]]


def with_psycopg(url: str, sql: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return list(connection.execute(sql).fetchone() or ())


def with_parameters(url: str, sql: str) -> list[Any]:
    with psycopg.connect(url) as connection, connection.pipeline():
        return list(connection.execute(f"{sql} WHERE %s", [True], prepare=True).fetchone() or ())


def with_psycopg2(url: str, sql: str) -> list[Any]:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    connection.close()
    return list(row or ())


def with_sqlalchemy(url: str, sql: str) -> list[Any]:
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    with engine.begin() as connection:
        row = connection.execute(sqlalchemy.text(sql)).one()
    engine.dispose()
    return list(row)


def with_asyncpg(url: str, sql: str) -> list[Any]:
    async def work() -> list[Any]:
        connection = await asyncpg.connect(url)
        row = await connection.fetchrow(f"{sql} WHERE $1", True)
        await connection.close()
        return list(row)

    return asyncio.run(work())


@pytest.fixture
def moved(place: Place) -> Place:
    """A database whose clock is moved."""
    with psycopg.connect(place.direct) as connection:
        connection.execute(FUNCTIONS)
    place.proxy.lane("main").move_clock(place.database, THEN.timestamp() - time.time())
    return place


@pytest.mark.parametrize("ask", [with_psycopg, with_parameters, with_psycopg2, with_sqlalchemy, with_asyncpg])
def test_each_name_of_the_time_is_that_of_the_world(moved: Place, ask: Ask) -> None:
    """Which goes on from where it was set."""
    for told in ask(moved.url, SQL):
        assert timedelta() <= told - THEN < timedelta(minutes=1)


def test_dates_follow_the_sessions_time_zone(moved: Place) -> None:
    """Under the names and with the types that the real ones have."""
    sql = "SELECT CURRENT_DATE, localtimestamp, localtime, CURRENT_TIME, now()::date AS today"
    for zone, date in (("UTC", "2031-03-04"), ("Pacific/Auckland", "2031-03-05")):
        with psycopg.connect(moved.url, autocommit=True) as connection, psycopg.connect(moved.direct) as real:
            connection.execute(f"SET TimeZone = '{zone}'")
            answer, usual = connection.execute(sql), real.execute(sql)
            assert answer.description
            assert usual.description
            kinds = [(column.name, column.type_code) for column in answer.description]
            assert kinds == [(column.name, column.type_code) for column in usual.description]
            row = answer.fetchone()
            assert row
            assert (str(row[0]), str(row[1].date()), str(row[4])) == (date,) * 3


def test_literals_that_mean_a_day_mean_the_worlds(moved: Place) -> None:
    """With the types and names that they have; so does a column that is made of them."""
    sql = "SELECT 'today'::date, date 'yesterday', CAST('tomorrow' AS timestamp), 'now'::timestamptz, 'today' AS word"
    with psycopg.connect(moved.url) as connection, psycopg.connect(moved.direct) as real:
        connection.execute("SET TimeZone = 'UTC'")
        answer, usual = connection.execute(sql), real.execute(sql)
        assert answer.description
        assert usual.description
        kinds = [(column.name, column.type_code) for column in answer.description]
        assert kinds == [(column.name, column.type_code) for column in usual.description]
        row = answer.fetchone()
    assert row
    assert [str(value)[:10] for value in row] == ["2031-03-04", "2031-03-03", "2031-03-05", "2031-03-04", "today"]


def test_what_counts_from_today_does_so_there(moved: Place) -> None:
    """In all the ways in which it may be asked, with the types and names that they have; and digits are rounded."""
    sql = (
        "SELECT age(timestamp '2031-03-01'), age(timestamptz '2030-03-04 00:00+00'), age(date '2031-03-03'), "
        "CURRENT_TIMESTAMP(0), localtimestamp(1), CURRENT_TIME(2), localtime(3), timeofday(), "
        "age(timestamp '2001-01-02', timestamp '2001-01-01')"
    )
    with psycopg.connect(moved.url) as connection, psycopg.connect(moved.direct) as real:
        for session in (connection, real):
            session.execute("SET TimeZone = 'UTC'")
        answer, usual = connection.execute(sql), real.execute(sql)
        assert answer.description
        assert usual.description
        kinds = [(column.name, column.type_code, column.scale) for column in answer.description]
        assert kinds == [(column.name, column.type_code, column.scale) for column in usual.description]
        row, real_row = answer.fetchone(), usual.fetchone()
    assert row
    assert real_row
    assert row[:3] == (timedelta(days=3), timedelta(days=365), timedelta(days=1))
    assert (row[3].date(), row[3].microsecond, row[4].microsecond % 100_000) == (THEN.date(), 0, 0)
    assert re.fullmatch(r"Tue Mar 04 12:\d\d:\d\d\.\d{6} 2031 UTC", row[7]), row[7]
    assert re.fullmatch(r"... ... \d\d \d\d:\d\d:\d\d\.\d{6} \d{4} UTC", real_row[7]), real_row[7]
    assert row[8] == timedelta(days=1)


def test_a_default_that_is_made_there_goes_by_that_time(moved: Place) -> None:
    """Also for rows that COPY brings; a transaction has one time."""
    with psycopg.connect(moved.url) as connection:
        connection.execute("CREATE TABLE t (x int, at timestamptz DEFAULT now(), dt date DEFAULT CURRENT_DATE)")
        with connection.cursor().copy("COPY t (x) FROM STDIN") as copy:
            copy.write(b"1\n2\n")
        connection.execute("INSERT INTO t (x, at) VALUES (3, now())")
    assert moved.query("SELECT count(DISTINCT at), min(dt)::text, max(dt)::text FROM t") == [
        (1, "2031-03-04", "2031-03-04")
    ]


def test_a_statement_that_is_cut_by_the_network_is_whole(moved: Place) -> None:
    """However long it is; one of more than 64 kB is taken for data, and left alone."""
    with psycopg.connect(moved.url) as connection:
        for length, year in ((60_000, 2031), (70_000, datetime.now(timezone.utc).year)):
            row = connection.execute(f"SELECT now() /* {'x' * length} */").fetchone()
            assert row
            assert row[0].year == year


def test_another_database_has_its_own_time(moved: Place) -> None:
    """It lacks the functions."""
    with psycopg.connect(moved.url, dbname="postgres") as connection:
        row = connection.execute("SELECT now()").fetchone()
    assert row
    assert row[0].year != THEN.year
