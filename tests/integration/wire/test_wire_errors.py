"""Errors that the proxy lets happen are those of a real server: each client raises the same, and is left the same."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy

from dagproof.postgres.wire import Error
from tests.integration.wire.conftest import Place

Meddle = Callable[[], None]


@dataclass(frozen=True)
class Seen:
    """What a client sees of an error: its exception, the state of its transaction, and what a COMMIT does then."""

    error: str
    sqlstate: str | None
    state: str
    commit: str


@dataclass(frozen=True)
class Kind:
    """An error: how a real server comes to raise it, and how the proxy is asked for it.

    `first` is executed in a transaction, `beside` in another session then, and `failing` in the transaction again.
    """

    error: Error
    failing: str
    first: str = "INSERT INTO t VALUES (2)"
    beside: str = ""
    isolation: str = "read committed"


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'client'"
KINDS = {
    "57014": Kind(Error(1, "57014", "canceling statement due to statement timeout"), "SELECT pg_sleep(9)",
                  first="SET LOCAL statement_timeout = 50"),
    "25006": Kind(Error(1, "25006", "cannot execute INSERT in a read-only transaction"), "INSERT INTO t VALUES (3)",
                  first="SET LOCAL transaction_read_only = on"),
    "40001": Kind(Error(1, "40001", "could not serialize access due to concurrent update"), "UPDATE t SET i = 7",
                  first="SELECT count(*) FROM t", beside="UPDATE t SET i = i", isolation="repeatable read"),
    "57P01": Kind(Error(1, "57P01", "terminating connection due to administrator command", fatal=True),
                  "INSERT INTO t VALUES (3)", beside=TERMINATE),
    "40001 at COMMIT": Kind(
        Error(1, "40001", "could not serialize access due to read/write dependencies among transactions"), "COMMIT",
        first="INSERT INTO t SELECT count(*) + 10 FROM t",
        beside="INSERT INTO t SELECT count(*) + 20 FROM t", isolation="serializable"),
}  # fmt: skip


def psycopg2_client(url: str, kind: Kind, meddle: Meddle) -> Seen:
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(kind.first)
        meddle()
        with pytest.raises(psycopg2.Error) as met:
            connection.commit() if kind.failing == "COMMIT" else cursor.execute(kind.failing)
        state = str(connection.info.transaction_status)
        return Seen(met.type.__name__, met.value.pgcode, state, _of(connection.commit, psycopg2.Error))


def psycopg_client(url: str, kind: Kind, meddle: Meddle, threshold: int | None = 5) -> Seen:
    with closing(psycopg.connect(url, prepare_threshold=threshold)) as connection:
        connection.execute(kind.first)
        meddle()
        with pytest.raises(psycopg.Error) as met:
            connection.commit() if kind.failing == "COMMIT" else connection.execute(kind.failing)
        state = connection.info.transaction_status.name
        return Seen(met.type.__name__, met.value.sqlstate, state, _of(connection.commit, psycopg.Error))


def psycopg_pipeline(url: str, kind: Kind, meddle: Meddle) -> Seen:
    with closing(psycopg.connect(url)) as connection:
        with pytest.raises(psycopg.Error) as met, connection.pipeline() as pipeline:
            connection.execute(kind.first)
            pipeline.sync()
            meddle()
            connection.commit() if kind.failing == "COMMIT" else connection.execute(kind.failing)
            connection.execute("SELECT 1")
            pipeline.sync()
        state = connection.info.transaction_status.name
        return Seen(met.type.__name__, met.value.sqlstate, state, _of(connection.commit, psycopg.Error))


def psycopg_async(url: str, kind: Kind, meddle: Meddle) -> Seen:
    async def go() -> Seen:
        connection = await psycopg.AsyncConnection.connect(url)
        await connection.execute(kind.first)
        meddle()
        with pytest.raises(psycopg.Error) as met:
            await (connection.commit() if kind.failing == "COMMIT" else connection.execute(kind.failing))
        state, commit = connection.info.transaction_status.name, "done"
        try:
            await connection.commit()
        except psycopg.Error as error:
            commit = type(error).__name__
        await connection.close()
        return Seen(met.type.__name__, met.value.sqlstate, state, commit)

    return asyncio.run(go())


def asyncpg_client(url: str, kind: Kind, meddle: Meddle) -> Seen:
    async def go() -> Seen:
        connection = await asyncpg.connect(url)
        await connection.execute("BEGIN")
        await connection.fetch(kind.first)
        meddle()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as met:
            await (connection.execute("COMMIT") if kind.failing == "COMMIT" else connection.fetch(kind.failing))
        state = f"closed {connection.is_closed()}, in a transaction {connection.is_in_transaction()}"
        try:
            commit = str(await connection.execute("COMMIT"))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            commit = type(error).__name__
        await connection.close()
        return Seen(met.type.__name__, getattr(met.value, "sqlstate", None), state, commit)

    return asyncio.run(go())


def sqlalchemy_client(url: str, kind: Kind, meddle: Meddle) -> Seen:
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    with closing(engine.connect()) as connection:
        connection.execute(sqlalchemy.text(kind.first))
        meddle()
        with pytest.raises(sqlalchemy.exc.DBAPIError) as met:
            connection.commit() if kind.failing == "COMMIT" else connection.execute(sqlalchemy.text(kind.failing))
        state, code = f"invalidated {connection.invalidated}", getattr(met.value.orig, "pgcode", None)
        seen = Seen(met.type.__name__, code, state, _of(connection.commit, sqlalchemy.exc.SQLAlchemyError))
    engine.dispose()
    return seen


def psql(url: str, kind: Kind, meddle: Meddle) -> Seen:
    script = "\\set VERBOSITY sqlstate\nBEGIN;\n" + kind.first + ";\n\\echo ready\n"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(["psql", url, "-X"], text=True, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(script)
        process.stdin.flush()
        while process.stdout.readline() != "ready\n":
            pass
        meddle()
        out, err = process.communicate(f"{kind.failing};\nCOMMIT;\n", timeout=30)
    told = err.splitlines()
    return Seen(told[0], None, " ".join(told[1:]), f"{out.split()[-1:]} {process.returncode}")


def _of(attempt: Callable[[], Any], errors: Any) -> str:
    try:
        attempt()
    except errors as error:
        return type(error).__name__
    return "done"


CLIENTS: dict[str, Callable[[str, Kind, Meddle], Seen]] = {
    "psycopg2": psycopg2_client,
    "psycopg": psycopg_client,
    "psycopg, prepared": partial(psycopg_client, threshold=0),
    "psycopg, pipeline": psycopg_pipeline,
    "psycopg, async": psycopg_async,
    "asyncpg": asyncpg_client,
    "SQLAlchemy": sqlalchemy_client,
    "psql": psql,
}


def at(url: str, kind: Kind) -> str:
    isolation = kind.isolation.replace(" ", "%5C%20")
    return f"{url}?application_name=client&options=-c%20default_transaction_isolation%3D{isolation}"


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_sees_what_it_sees_of_a_real_server(place: Place, name: str, code: str) -> None:
    """The exception, the SQLSTATE, the state of the transaction, what a COMMIT answers then, and the rows."""
    kind, client = KINDS[code], CLIENTS[name]

    def beside() -> None:
        if kind.beside:
            with psycopg.connect(at(place.direct, kind).replace("=client", "=beside")) as other:
                other.execute(kind.beside)

    def plan() -> None:
        place.proxy.plan(kind.error)

    seen, left = [], []
    for url, meddle in ((place.direct, beside), (place.url, plan)):
        with psycopg.connect(place.direct, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (i integer); INSERT INTO t VALUES (1)")
        if url == place.url and not kind.error.fatal and code != "40001 at COMMIT":
            kind = Kind(kind.error, "INSERT INTO t VALUES (3)")
        seen.append(client(at(url, kind), kind, meddle))
        rows = place.query("SELECT i FROM t WHERE i NOT BETWEEN 20 AND 30")
        left.append(rows)
    assert seen[1] == seen[0]
    assert left[1] == left[0] == [(1,)]


def test_an_error_at_any_message_of_a_pipeline_is_met_by_a_statement(place: Place) -> None:
    """Also where the message is none, such as Flush: nothing hangs, and nothing is left."""
    with psycopg.connect(place.direct) as connection:
        connection.execute("CREATE TABLE t (i integer)")

    def load() -> None:
        with closing(psycopg.connect(place.url)) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM t WHERE i = %s", (1,))
            cursor.executemany("INSERT INTO t VALUES (%s)", [(n,) for n in range(3)])
            connection.commit()

    watch = place.proxy.watch()
    load()
    messages = [message for message in watch.messages if message.kind != "Terminate"]
    assert {"Flush", "Sync", "Bind"} <= {message.kind for message in messages}
    for at in range(1, len(messages) + 1):
        assert place.proxy.empty(5)
        place.proxy.clear()
        place.proxy.plan(Error(at, "40001", "could not serialize access"))
        with pytest.raises(psycopg.errors.SerializationFailure):
            load()
    assert len(place.query("SELECT i FROM t")) == 3
