"""Who waits for a run that is held: a session that is blocked by one whose client is silent, and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.worlds.worlds import Worlds
from tests.support.waiting import eventually

LOCK = "LOCK TABLE orders"


@pytest.fixture
def worlds(embedded_server: PostgresServer) -> Iterator[Worlds]:
    """What a watch needs of worlds: a server, and the name of a database with a table."""
    name = unique_name()
    embedded_server.create_database(name)
    with embedded_server.connect(name) as connection:
        connection.execute("CREATE TABLE orders (id int)")
    yield cast("Worlds", SimpleNamespace(databases=SimpleNamespace(server=embedded_server, names={"postgres": name})))
    embedded_server.drop_database(name)


def locks(worlds: Worlds, *statements: str) -> threading.Thread:
    """Lock the table in a session of its own, run the statements, and end."""
    assert worlds.databases is not None
    url = worlds.databases.server.url(worlds.databases.names["postgres"])

    def work() -> None:
        with psycopg.connect(url) as connection:
            for statement in (LOCK, *statements):
                connection.execute(statement.encode())

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_session_waits_for_one_whose_client_is_silent(worlds: Worlds) -> None:
    """As that of a run that is held: its statements have come to their ends, and the next one does not come."""
    assert worlds.databases is not None
    held = worlds.databases.server.connect(worlds.databases.names["postgres"])
    with Worlds.lock_watch(worlds) as is_waiting:
        with held.transaction():
            held.execute(LOCK)
            assert not is_waiting()
            other = locks(worlds)
            assert eventually(is_waiting)
        other.join()
        assert not is_waiting()
    held.close()


def test_a_session_that_waits_for_one_at_work_goes_on_by_itself(worlds: Worlds) -> None:
    """It has nothing to do with the run that is held, which would be released too early."""
    assert worlds.databases is not None
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    with worlds.databases.server.connect() as asking, Worlds.lock_watch(worlds) as is_waiting:
        first = locks(worlds, "SELECT pg_sleep(2)")
        time.sleep(0.3)
        second = locks(worlds)
        assert eventually(lambda: asking.execute(blocked).fetchone() == (1,))
        assert not any(is_waiting() for _ in range(20))
        assert asking.execute(blocked).fetchone() == (1,), "it has waited all the time"
    first.join()
    second.join()
