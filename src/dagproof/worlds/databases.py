"""The databases of a proof: for each a template, and the one that the current world has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from dagproof.config import Config
from dagproof.config.placeholders import POSTGRES
from dagproof.errors import ConfigError
from dagproof.postgres.server import LOOPBACK, PostgresServer, unique_name
from dagproof.postgres.wire import FUNCTIONS, Lane, Proxy

#: Seconds that the sessions of a command have to end by themselves.
PATIENCE = 2.0


class Databases:
    """The databases that the configuration names, on one server; each is known by its placeholder.

    Their names on the server are the same in each world: a name that changed could end up in a row.
    """

    def __init__(self, config: Config, server: PostgresServer) -> None:
        self.server = server
        self.names = {name: unique_name() for name in config.world.all_databases}
        self._templates = {name: unique_name("template") for name in config.world.all_databases}
        self._proxy: Proxy | None = None

    @contextmanager
    def ready(self, fill_templates: Callable[[Templates], None]) -> Iterator[None]:
        """Make the templates, which are filled then; drop them at the end."""
        with ExitStack() as stack:
            for template in self._templates.values():
                self.server.create_database(template)
                stack.callback(self.server.drop_database, template)
                if self.moves_clock:
                    with self.server.connect(template) as connection:
                        connection.execute(FUNCTIONS)
            with Templates(self.server, self._templates, self.moves_clock) as templates:
                fill_templates(templates)
            if self.moves_clock:
                proxy = Proxy(self.server.host, self.server.port, only=frozenset(self.names.values()))
                self._proxy = stack.enter_context(proxy)
            yield

    @property
    def moves_clock(self) -> bool:
        """Whether sessions come through the proxy, which can move SQL's clock: not where they must be encrypted."""
        return not self.server.wants_encryption

    def lane(self, name: str) -> Lane | None:
        """Return the way to the databases of this name; None where there is no proxy."""
        return self._proxy.lane(name) if self._proxy else None

    def move_clock(self, lane: str, seconds: float) -> None:
        """Let SQL see a clock that is ahead by `seconds`, in sessions that begin from now on and come by that lane."""
        if way := self.lane(lane):
            for database in self.names.values():
                way.move_clock(database, seconds)

    def endpoint(self, lane: str) -> tuple[str, int]:
        """Return where a run reaches the server by that lane."""
        way = self.lane(lane)
        return (LOOPBACK, way.port) if way else (self.server.host, self.server.port)

    def urls(self, lane: str | None = None) -> dict[str, str]:
        """Return the address of each database of the current world: as it is, or by a lane of the proxy."""
        way = self.lane(lane) if lane else None
        host, port = (LOOPBACK, way.port) if way else (None, None)
        return {name: self.server.url(database, host=host, port=port) for name, database in self.names.items()}

    def create(self, like: Mapping[str, str] | None = None) -> None:
        """Make the current world's, like the templates, or like those that :meth:`save` has kept."""
        for name, template in (like or self._templates).items():
            self.server.create_database(self.names[name], template=template)

    def drop(self) -> None:
        """Drop the current world's."""
        for database in self.names.values():
            self.server.drop_database(database)

    def save(self) -> dict[str, str]:
        """Keep a copy of each, to which nobody may be connected."""
        kept = {name: unique_name("saved") for name in self.names}
        for name, database in kept.items():
            self.server.create_database(database, template=self.names[name])
        return kept

    def forget(self, kept: Mapping[str, str]) -> None:
        """Drop what :meth:`save` has kept."""
        for database in kept.values():
            self.server.drop_database(database)


class Templates:
    """The templates, while they are filled: SQL files are run on them as they are, commands reach them by a proxy.

    The proxy has what commands create go by the world's clock, as what SQL files create does.
    """

    def __init__(self, server: PostgresServer, names: Mapping[str, str], moves_clock: bool) -> None:
        self.server = server
        self.moves_clock = moves_clock
        self._names = names
        self._stack = ExitStack()
        self._port: int | None = None

    def __enter__(self) -> Templates:
        if self.moves_clock:
            proxy = Proxy(self.server.host, self.server.port, only=frozenset(self._names.values()))
            lane = self._stack.enter_context(proxy).lane("schema")
            for database in self._names.values():
                lane.move_clock(database, 0.0)
            self._port = lane.port
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._end_sessions()

    def _end_sessions(self) -> None:
        """Wait for the sessions of commands, and end those that stay: nobody may be with a template that is cloned."""
        others = "FROM pg_stat_activity WHERE datname = ANY(%s) AND backend_type = 'client backend'"
        names = list(self._names.values())
        with self.server.connect() as connection:
            deadline = time.monotonic() + PATIENCE
            while connection.execute(f"SELECT count(*) {others}".encode(), [names]).fetchone() != (0,):
                if time.monotonic() > deadline:
                    connection.execute(f"SELECT pg_terminate_backend(pid) {others}".encode(), [names])
                    deadline = time.monotonic() + PATIENCE
                time.sleep(0.005)

    def direct(self) -> dict[str, str]:
        """Return the address of each, as it is."""
        return {name: self.server.url(database) for name, database in self._names.items()}

    def for_commands(self) -> dict[str, str]:
        """Return the address of each for a command."""
        host = LOOPBACK if self._port else None
        return {name: self.server.url(database, host=host, port=self._port) for name, database in self._names.items()}

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where a command reaches the server."""
        return (LOOPBACK, self._port) if self._port else (self.server.host, self.server.port)


def prefixed(urls: Mapping[str, str]) -> dict[str, str]:
    """Return addresses by how the names of tables there begin: nothing for the first database, else its name."""
    return {"" if name == POSTGRES else f"{name}:": url for name, url in urls.items()}


def named_by(what: str, databases: Mapping[str, str], where: str) -> tuple[str, str]:
    """Return the address of the database that an entry ``name:path`` is about, the first one without a name; the path.

    Raises:
        ConfigError: the world has no database.
    """
    name, colon, path = what.partition(":")
    if not colon or name not in databases:
        name, path = POSTGRES, what
    if name not in databases:
        raise ConfigError(f"{where}: {what} needs a database, and the world has none; map one to {{postgres}}")
    return databases[name], path
