"""A PostgreSQL server: where it is, who we are there, and the databases that we created on it."""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from dagproof import reaper
from dagproof.errors import DagproofError

if TYPE_CHECKING:  # importing this module is cheap, for the pytest plugin's sake
    import psycopg


SCHEMES = ("postgresql://", "postgres://")
PREFIX = "dagproof_"
LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 32_000)
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # in the data directory: a killed server leaves nothing elsewhere
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class ServerError(DagproofError):
    """No server, and why, and what to do about it."""


def unique_name(label: str = "") -> str:
    """A name for a database of ours that nobody else has."""
    return f"{PREFIX}{label}{'_' if label else ''}{secrets.token_hex(6)}"


class PostgresServer:
    """A running server. The attributes are those that pytest-postgresql's ``depends_on`` reads."""

    template_dbname: str | None = None

    def __init__(
        self, kind: str, *, host: str, port: int, user: str, password: str, dbname: str = "postgres", **parameters: str
    ) -> None:
        self.kind = kind
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.maintenance_dbname = dbname
        self.options = parameters.get("options", "")
        self._parameters = parameters
        self._created: dict[str, reaper.Undo] = {}

    def __repr__(self) -> str:
        """Without the password: this ends up in logs."""
        return f"<PostgresServer {self.kind} {self.user}@{self.host}:{self.port}>"

    @property
    def wants_encryption(self) -> bool:
        """Whether connections must be encrypted (or do not go over TCP), so that nobody can look at what they say."""
        return self._parameters.get("sslmode") in ("require", "verify-ca", "verify-full") or self.host.startswith("/")

    def url(self, dbname: str, *, host: str | None = None, port: int | None = None) -> str:
        """The address of a database; with ``host`` and ``port``, as seen through a proxy that stands there."""
        host = host or self.host
        place = f"[{host}]" if ":" in host else host
        query = f"?{urlencode(self._parameters, quote_via=quote)}" if self._parameters else ""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{who}@{place}:{port or self.port}/{quote(dbname, safe='')}{query}"

    def connect(self, dbname: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that commits each statement, to the maintenance database unless told another."""
        import psycopg

        return psycopg.connect(self.url(dbname or self.maintenance_dbname), autocommit=True, connect_timeout=10)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database of ours, empty or as a copy of ``template``, to which nobody may be connected."""
        import psycopg
        from psycopg import sql

        if not name.startswith(PREFIX):
            raise ServerError(f"a database of ours is called '{PREFIX}…', and '{name}' is not; use unique_name()")
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self.connect() as connection:
            if template and self.kind != "url" and connection.info.server_version >= 150000:
                # Half the work of the default. It makes a checkpoint of the whole server, which has to be ours then.
                statement += sql.SQL(" STRATEGY file_copy")
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                raise ServerError(f"the database '{name}' exists already and is not ours; use unique_name()")
            undo = reaper.drop_database_later(self.url(self.maintenance_dbname), name)
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                undo.forget()
                raise ServerError(f"the database '{name}' could not be created: {first_sentence(error)}") from error
            undo.settle()
            self._created[name] = undo

    def drop_database(self, name: str, force: bool = True) -> None:
        """Drop a database that ``create_database`` made; with ``force`` also while somebody is connected to it."""
        if name not in self._created:
            raise ServerError(f"the database '{name}' was not created here, so it is not dropped")
        if not force:
            with self.connect() as connection:
                if connection.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [name]).fetchone():
                    raise ServerError(f"the database '{name}' is in use; close its connections, or force")
        self._created.pop(name).undo()

    def drop_created_databases(self) -> None:
        """Drop what is left of the databases that were created here, newest first."""
        for name in reversed(list(self._created)):
            self.drop_database(name)

    def forget_created_databases(self) -> None:
        """Leave them: the server is about to end, and they with it."""
        while self._created:
            self._created.popitem()[1].forget()


def first_sentence(error: BaseException) -> str:
    """The first line of an error's text, for ours is one sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def complaint(text: str) -> str:
    """The line of a program's output that tells what went wrong."""
    lines = text.strip().splitlines() or ["it printed nothing"]
    complaints = [line for line in lines if "error:" in line or "FATAL:" in line]
    return (complaints or lines)[-1].rstrip(".")


def free_port() -> int:
    """A port on loopback that nobody listens at, for a server that is still to be started.

    It is none of those that systems give to whoever asks for any port (from 32768 on Linux, from 49152 elsewhere): one
    of these is likely to be the port of somebody's connection before the server has come to listen.
    """
    while True:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, secrets.choice(_PORTS)))
            return int(probe.getsockname()[1])


def wait_until_it_answers(server: PostgresServer, check: Any) -> None:
    """Wait for a real connection, whatever a log may say."""
    import psycopg

    for look in range(600):
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            problem = error
            check()
            time.sleep(0.02 if look < 100 else 0.1)
        else:
            return
    raise ServerError(f"{server!r} does not answer ({first_sentence(problem)}); check its log, or use another server")
