"""Any client works through the proxy as it does without, and is understood."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy

from dagproof.postgres.wire import Fault

from .conftest import Place

LINES = b"".join(b"%d\tname %d\n" % (n, n) for n in range(1000))


def with_psycopg2(url: str) -> int:
    from io import BytesIO

    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (x int, y text)")
        cursor.copy_expert("COPY t FROM STDIN", BytesIO(LINES))
        cursor.execute("INSERT INTO t VALUES (%s, %s)", [1000, "last"])
        copied = BytesIO()
        cursor.copy_expert("COPY t TO STDOUT", copied)
    connection.close()
    return copied.getvalue().count(b"\n")


def with_psycopg(url: str) -> int:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t (x int, y text)")
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            copy.write(LINES)
        with connection.pipeline():
            connection.execute("INSERT INTO t VALUES (%s, %s)", [1000, "last"], binary=True)
        with connection.cursor().copy("COPY t TO STDOUT") as copy:
            return sum(1 for _ in copy)


def with_sqlalchemy(url: str) -> int:
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE t (x int, y text)"))
        rows = [{"x": n, "y": f"name {n}"} for n in range(1001)]
        connection.execute(sqlalchemy.text("INSERT INTO t VALUES (:x, :y)"), rows)
    with engine.begin() as connection:
        found = connection.execute(sqlalchemy.text("SELECT * FROM t")).all()
    engine.dispose()
    return len(found)


def with_asyncpg(url: str) -> int:
    async def work() -> int:
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute("CREATE TABLE t (x int, y text)")
            await connection.copy_records_to_table("t", records=[(n, f"name {n}") for n in range(1000)])
            await connection.executemany("INSERT INTO t VALUES ($1, $2)", [(1000, "last")])
        found = await connection.fetch("SELECT * FROM t WHERE x >= $1", 0)
        await connection.close()
        return len(found)

    return asyncio.run(work())


ERRORS = (
    psycopg.Error,
    psycopg2.Error,
    sqlalchemy.exc.DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
CLIENTS = [with_psycopg2, with_psycopg, with_sqlalchemy, with_asyncpg]


@pytest.mark.parametrize("work", CLIENTS)
def test_a_client_works_and_is_understood(place: Place, work: Callable[[str], int]) -> None:
    """Simple and extended protocol, pipelines, COPY in and out; the statements are seen."""
    watch = place.proxy.watch()
    assert work(place.url) == 1001
    assert place.query("SELECT count(*) FROM t") == [(1001,)]
    seen = watch.messages
    assert [message.index for message in seen] == list(range(1, len(seen) + 1))
    assert {message.database for message in seen} == {place.database}
    assert any("CREATE TABLE t (x int, y text)" in message.text for message in seen)
    assert any("COMMIT" in message.text.upper() for message in seen)
    assert seen[-1].kind == "Terminate"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("work", CLIENTS)
def test_a_client_is_cut_at_any_message(place: Place, work: Callable[[str], int], when: str) -> None:
    """It gets an error each time, never hangs, and the server has all rows or none of them."""
    watch = place.proxy.watch()
    work(place.url)
    count = len(watch.messages) - 1  # a lost Terminate is noticed by nobody
    for at in range(1, count + 1, max(1, count // 25)):
        place.query("SELECT 1")
        with psycopg.connect(place.direct) as connection:
            connection.execute("DROP TABLE IF EXISTS t")
        place.proxy.clear()
        planned = place.proxy.plan(Fault(at=at, when=when))
        noticed = False
        try:
            work(place.url)
        except ERRORS:
            noticed = True
        # In a pipeline psycopg sends a Flush or none, as the answers come in: there may be one message less this time.
        assert noticed == (planned.message is not None and planned.message.kind != "Terminate")
        assert noticed or at == count
        found = place.query("SELECT to_regclass('t') IS NOT NULL")
        if found == [(True,)]:
            assert place.query("SELECT count(*) FROM t") == [(1001,)]


def test_sslmode_prefer_works_and_require_is_refused(place: Place) -> None:
    """With what a server without encryption says; so it is for encryption by GSSAPI."""
    for options in ({"sslmode": "prefer"}, {"sslmode": "prefer", "gssencmode": "prefer"}, {"sslmode": "disable"}):
        with psycopg.connect(place.url, **options) as connection:  # type: ignore[arg-type]  # libpq knows them
            assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="server does not support SSL, but SSL was required"):
        psycopg.connect(place.url, sslmode="require")
    assert place.proxy.empty(5)


def test_direct_tls_is_refused_at_once(place: Place) -> None:
    """A client of PostgreSQL 17 can begin with the handshake itself."""
    if psycopg.pq.version() < 170000:
        pytest.skip("libpq is older than 17")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(place.url, sslmode="require", sslnegotiation="direct", connect_timeout=5)
    assert place.proxy.empty(5)


def test_a_wrong_password_and_a_missing_database_are_the_servers_errors(place: Place) -> None:
    """Authentication passes untouched; nothing of it is counted."""
    watch = place.proxy.watch()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(place.url.replace(place.server.password, "wrong"))
    with pytest.raises(psycopg.OperationalError, match='"nowhere" does not exist'):
        psycopg.connect(place.url.replace(place.database, "nowhere"))
    assert watch.messages == ()


@pytest.mark.parametrize("version", ["3.0", "3.2"])
def test_a_cancel_request_reaches_the_server(place: Place, version: str) -> None:
    """Also with the longer keys of protocol 3.2."""
    options = {"max_protocol_version": version} if psycopg.pq.version() >= 180000 else {}
    if version == "3.2" and not options:
        pytest.skip("libpq is older than 18")
    with psycopg.connect(place.url, **options) as connection:  # type: ignore[arg-type]  # libpq knows them
        timer = threading.Timer(0.3, lambda: connection.cancel_safe(timeout=5))
        timer.start()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(30)")
        assert time.monotonic() - started < 10
        timer.join()
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_notices_and_notifications_pass(place: Place) -> None:
    """What a server says without being asked."""
    notices: list[str] = []
    with psycopg.connect(place.url, autocommit=True) as one, psycopg.connect(place.url, autocommit=True) as other:
        one.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        one.execute("DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
        one.execute("LISTEN news")
        other.execute("NOTIFY news, 'rain'")
        assert [note.payload for note in one.notifies(timeout=5, stop_after=1)] == ["rain"]
    assert notices == ["hello"]


def test_errors_in_a_pipeline_and_in_a_copy_do_not_confuse_it(place: Place) -> None:
    """After each of them the answer to a later message is still known for what it is."""
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (x int PRIMARY KEY)")
        with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline():
            connection.execute("SELECT 1 / %s", [0])
            connection.execute("SELECT 1")
        with (
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
            connection.cursor().copy("COPY t FROM STDIN") as c,
        ):
            c.write(b"no number\n")
        for statement, parameters in (("COPY t FROM STDIN", None), ("COPY t FROM STDIN", ())):
            with (
                pytest.raises(psycopg.errors.UniqueViolation),
                connection.cursor().copy(statement, parameters) as copy,
            ):
                copy.write(b"1\n1\n")
        with pytest.raises(ZeroDivisionError), connection.cursor().copy("COPY t FROM STDIN") as copy:
            copy.write(b"1\n")
            raise ZeroDivisionError
        watch = place.proxy.watch()
        lost = place.proxy.plan(Fault(at=2, when="after"))
        connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("INSERT INTO t VALUES (2)")
        assert lost.wait_done(5)
        assert [message.text for message in watch.messages] == ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"]
    assert place.query("SELECT x FROM t ORDER BY x") == [(1,), (2,)]


def test_a_client_that_says_nothing_costs_the_server_nothing(place: Place) -> None:
    """Only its first packet calls the server; it goes as it came."""
    with socket.create_connection(("127.0.0.1", place.proxy.port)):
        time.sleep(0.05)
        assert place.sessions() == 0
        assert place.proxy.connections == 1
    assert place.proxy.empty(5)
