"""A PostgreSQL server that is there already, at an address."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dagproof.postgres.server import (
    PostgresServer,
    ServerError,
    first_sentence,
)

if TYPE_CHECKING:  # importing this module is cheap, for the pytest plugin's sake
    import psycopg


@contextlib.contextmanager
def existing(url: str) -> Iterator[PostgresServer]:
    """Use the server at an address, for the length of the block."""
    server = _visit(url)
    try:
        yield server
    finally:
        server.drop_created_databases()


def _visit(url: str) -> PostgresServer:
    """Look at the server once: where it is in the end, who we are there, and whether that is enough."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            _check_rights(connection)
            info = connection.info
            where = {"host": info.host, "user": info.user, "password": info.password, "dbname": info.dbname}
            port = info.port
    except psycopg.Error as error:
        raise ServerError(
            f"cannot connect to the PostgreSQL server ({first_sentence(error)}); check its URL, user and password, or "
            "use --postgres embedded"
        ) from error
    if where["host"].startswith("/"):
        raise ServerError(
            f"the URL leads to a Unix socket in {where['host']}, and a proof needs TCP; give a host, as in "
            "postgresql://user:password@localhost:5432/postgres"
        )
    rest = {key: value for key, value in given.items() if key not in {*where, "port", "hostaddr", "connect_timeout"}}
    return PostgresServer("url", port=port, **where, **rest)


def _check_rights(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    if connection.info.server_version < 130000:
        raise ServerError(
            f"the PostgreSQL server has version {connection.info.server_version // 10000}, and a proof needs 13 or "
            "later; use another server, or --postgres embedded"
        )
    row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if not (row and row[0]):
        user = connection.info.user
        raise ServerError(
            f"the user '{user}' may not create databases on the PostgreSQL server, and each world needs one; run "
            f'ALTER ROLE "{user}" CREATEDB, use another user, or use --postgres embedded'
        )
