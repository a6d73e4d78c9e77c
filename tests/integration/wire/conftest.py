"""A database of the test's own, and a proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.postgres.wire import Proxy


@dataclass
class Place:
    """A database, and the two ways to it."""

    server: PostgresServer
    database: str
    proxy: Proxy

    @property
    def direct(self) -> str:
        return self.server.url(self.database)

    @property
    def url(self) -> str:
        return self.through("main")

    def through(self, lane: str) -> str:
        return self.server.url(self.database, host="127.0.0.1", port=self.proxy.lane(lane).port)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that anybody else sees; only after all that was cut has ended."""
        assert self.proxy.settled(10)
        with psycopg.connect(self.direct) as connection:
            return connection.execute(sql).fetchall()

    def sessions(self) -> int:
        with psycopg.connect(self.direct) as connection:
            others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            row = connection.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others}").fetchone()
        assert row
        return int(row[0])


@pytest.fixture
def place(postgres_server: PostgresServer) -> Iterator[Place]:
    """Where a test works."""
    name = unique_name("wire")
    postgres_server.create_database(name)
    with Proxy(postgres_server.host, postgres_server.port) as proxy:
        yield Place(postgres_server, name, proxy)
    postgres_server.drop_database(name)
