"""Worlds: one disposable set of stores, connections, variables, environment and a clock, for one history.

One world exists at a time. Each is made anew at the same place, under the same names, because a path or a database
name that changed from world to world could end up in a row and look like a fault of the DAG.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dagproof import reaper
from dagproof.config import Config, fill
from dagproof.errors import ConfigError
from dagproof.inside.exchange import Allowed, LeftOut
from dagproof.inside.machine import HERE, Machine
from dagproof.postgres.server import LOOPBACK, PostgresServer, unique_name
from dagproof.postgres.servers import start_server
from dagproof.postgres.wire import FUNCTIONS, Lane, Proxy
from dagproof.stores import snapshot
from dagproof.worlds import shell_date
from dagproof.worlds.addresses import allowed_endpoints
from dagproof.worlds.metadata import replace_metadata
from dagproof.worlds.schema import execute
from dagproof.worlds.services import Services, start_services
from dagproof.worlds.settings import beside, connection_value, import_folders, needs_postgres
from dagproof.worlds.worker import Worker
from dagproof.worlds.world import World


@dataclass(frozen=True)
class SavedWorld:
    """A copy of a world: its folders, its metadata database, its database, and the time there."""

    folder: Path
    metadata: Path
    database: str | None
    now: datetime | None


class Worlds:
    """Makes one world after the other for the length of a proof; holds what they share.

    That is the server with its template database, the folder, and the values that the placeholders stand for.
    """

    def __init__(self, config: Config, folder: Path, server: PostgresServer | None, services: Services) -> None:
        self.config = config
        self.folder = folder
        self.server = server
        self.services = services
        self.world_folder = folder / "world"
        self.files, self.home, self.temporary, self.run_folder = (
            self.world_folder / name for name in ("files", "home", "tmp", "run")
        )
        """What a run gets: its data, its home, a folder that is emptied before each run, and what is ours of a run."""
        self.own = folder / "own"
        """What is ours of all runs."""
        self.programs = folder / "programs"
        """What a shell finds there before the system's."""
        self.metadata_template = self.own / "metadata-template.db"
        self._template = unique_name("template")
        self._database = unique_name()
        self.conninfo = server.url(self._database) if server else None
        self._proxy: Proxy | None = None
        self._log_count = 0
        self._saved_count = 0
        self.is_open = False
        """Whether there is a world now."""

    @contextmanager
    def ready(self) -> Iterator[Worlds]:
        """Make the template database with the schema applied; drop it at the end.

        Raises:
            ConfigError: a schema file is missing, or PostgreSQL refuses it.
        """
        self._empty_folders()
        shell_date.install(self.programs)
        if self.server is None:
            yield self
            return
        self.server.create_database(self._template)
        try:
            self._apply_schema(self.server)
            with ExitStack() as stack:
                if self._moves_clock:
                    self._proxy = stack.enter_context(Proxy(self.server.host, self.server.port, only=self._database))
                yield self
        finally:
            self.server.drop_database(self._template)

    def lane(self, machine: Machine) -> Lane | None:
        """Return the way to the database that the worker on `machine` has to itself; None where there is no database.

        A database that wants its connections encrypted is reached without one.
        """
        return self._proxy.lane(machine.name) if self._proxy else None

    def set_clock(self, machine: Machine, now: datetime) -> None:
        """Let SQL see that it is `now`, in sessions that begin from now on; from here, time goes by as it does."""
        if lane := self.lane(machine):
            lane.move_clock(self._database, now.timestamp() - time.time())

    @contextmanager
    def lock_watch(self) -> Iterator[Callable[[], bool]]:
        """Yield a function that tells whether a session in the world's database waits for what another has locked."""
        if self.server is None:
            yield lambda: False
            return
        query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock')"
        with self.server.connect() as connection:

            def is_waiting() -> bool:
                row = connection.execute(query, [self._database]).fetchone()
                return bool(row and row[0])

            yield is_waiting

    def environment(self, machine: Machine) -> dict[str, str]:
        """Return the environment variables of a run: the world's own, its connections and its variables."""
        world = self.config.world
        places = self.places(machine)
        own = {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        own["PATH"] = os.pathsep.join([str(self.programs), os.environ.get("PATH", os.defpath)])
        connections = {
            f"AIRFLOW_CONN_{conn_id.upper()}": connection_value(conn_id, value, places)
            for conn_id, value in world.connections.items()
        }
        variables = {f"AIRFLOW_VAR_{key.upper()}": fill(value, places) for key, value in world.variables.items()}
        return {**own, **{k: fill(v, places) for k, v in world.env.items()}, **connections, **variables}

    @property
    def stored_variables(self) -> dict[str, str]:
        """The variables that are kept where Airflow keeps them, so that a task can change them.

        An address of the database is another one on each machine, and stays in the environment, which comes first.
        """
        variables = {key: value for key, value in self.config.world.variables.items() if "{postgres}" not in value}
        return {key: fill(value, self.places(HERE)) for key, value in variables.items()}

    def allowed(self, machine: Machine) -> Allowed:
        """Return what may be written and connected to: this proof's own folder, what is mapped and what is allowed."""
        world = self.config.world
        paths = [entry for entry in world.allow if entry.startswith("/")]
        named = allowed_endpoints(world)
        endpoints = [*named, *self.services.endpoints]
        if self.server is not None:
            lane = self.lane(machine)
            endpoints.append(("127.0.0.1", lane.port) if lane else (self.server.host, self.server.port))
        inside = [self.files, self.home, self.temporary, self.run_folder, self.own]
        return Allowed(
            writable=(*map(str, inside), *paths),
            floor=(str(self.world_folder), str(self.own), *paths),
            endpoints=tuple(endpoints),
            beside=beside(world, self.services.places, named),
        )

    @contextmanager
    def world(self, worker: Worker, saved: SavedWorld | None = None) -> Iterator[World]:
        """Make a fresh world in which `worker` runs DAGs, or one like `saved`; destroy it at the end.

        There can be one at a time (:attr:`is_open`): they would have the same folders and the same database.
        """
        self.is_open = True
        try:
            with self._world(worker, saved) as world:
                yield world
        finally:
            self.is_open = False

    @contextmanager
    def _world(self, worker: Worker, saved: SavedWorld | None) -> Iterator[World]:
        self._empty_folders(saved)
        replace_metadata(saved.metadata if saved else self.metadata_template, worker.metadata)
        now = saved.now if saved else None
        if self.server is None:
            yield World(self, worker, now)
            return
        self.server.create_database(self._database, template=saved.database if saved else self._template)
        try:
            yield World(self, worker, now)
        finally:
            self.server.drop_database(self._database)

    def save(self, world: World) -> SavedWorld:
        """Keep a copy of the world as it is now, to begin others with; nobody may be connected to its database."""
        self._saved_count += 1
        folder = self.folder / "saved" / f"{self._saved_count:05d}"
        shutil.copytree(self.world_folder, folder / "world", symlinks=True)
        metadata = folder / "metadata.db"
        replace_metadata(world.worker.metadata, metadata)
        database = None
        if self.server is not None:
            database = unique_name("saved")
            self.server.create_database(database, template=self._database)
        return SavedWorld(folder, metadata, database, world.now)

    def forget(self, saved: SavedWorld) -> None:
        """Remove a saved world."""
        if self.server is not None and saved.database is not None:
            self.server.drop_database(saved.database)
        reaper.rmtree(str(saved.folder))

    def next_log(self) -> Path:
        """Return a new file for the log of a run."""
        self._log_count += 1
        return self.own / "logs" / f"{self._log_count:05d}.log"

    def _empty_folders(self, saved: SavedWorld | None = None) -> None:
        """Make the folders anew but for that in which they are: Landlock knows a folder by what it is, not by name."""
        folders = (self.files, self.home, self.temporary, self.run_folder)
        for folder in folders:
            reaper.rmtree(str(folder))
        if saved is not None:
            shutil.copytree(saved.folder / "world", self.world_folder, symlinks=True, dirs_exist_ok=True)
            return
        for folder in (*folders, self.own / "logs"):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def stores_of_files(self) -> dict[str, str]:
        """The folders whose files are compared, and how the names of these begin."""
        return {"": str(self.files), snapshot.HOME: str(self.home)}

    def empty_temporary(self) -> None:
        """Empty the folder for temporary files, as a machine that is started anew would."""
        for entry in self.temporary.iterdir():
            reaper.rmtree(str(entry))

    def left_aside(self) -> list[LeftOut]:
        """Return what a run that is over has left and nobody compares."""
        scratch = [f"~/{name}" for name in snapshot.HOME_SCRATCH if any(self.home.glob(name))]
        why = "not compared, since it is a cache or a history"
        entries = [LeftOut(name, why) for name in scratch]
        if any(self.temporary.iterdir()):
            why = "not compared, since it is emptied before each run"
            entries.append(LeftOut("the folder for temporary files", why))
        return entries

    def places(self, machine: Machine) -> dict[str, str]:
        """Return what the placeholders of the configuration stand for, for the worker on `machine`."""
        places = {"files": str(self.files), **self.services.places}
        if self.server is not None:
            lane = self.lane(machine)
            through = ("127.0.0.1", lane.port) if lane else (None, None)
            places["postgres"] = self.server.url(self._database, host=through[0], port=through[1])
        return places

    def named_places(self, machine: Machine) -> dict[tuple[str, int], str]:
        """Return what people call the addresses at which the database and the services of a world are."""
        found = {(LOOPBACK, int(place.rpartition(":")[2])): name for name, place in self.services.places.items()}
        if lane := self.lane(machine):
            found[LOOPBACK, lane.port] = "PostgreSQL"
        return found

    def _apply_schema(self, server: PostgresServer) -> None:
        url = server.url(self._template)
        if self._moves_clock:
            with server.connect(self._template) as connection:
                connection.execute(FUNCTIONS)
        for name in self.config.world.schema:
            where = "tool.dagproof.world.schema"
            execute(url, self.config.root / name, name, where, moves_clock=self._moves_clock)

    @property
    def _moves_clock(self) -> bool:
        """Whether sessions come through the proxy, which can move SQL's clock."""
        return self.server is not None and not self.server.wants_encryption

    def execute(self, path: Path, where: str, **values: str) -> None:
        """Run an SQL file on the world's database, ``{name}`` in it standing for a value; `where` it is configured.

        Raises:
            ConfigError: there is no database, the file cannot be read, or PostgreSQL refuses it.
        """
        if self.conninfo is None:
            raise ConfigError(f"{where}: {path.name} needs a database, and the world has none; map one to {{postgres}}")
        execute(self.conninfo, path, path.name, where, moves_clock=self._moves_clock, **values)


@contextmanager
def open_worlds(config: Config, postgres: str | PostgresServer) -> Iterator[Worlds]:
    """Start what worlds need (a server only where the configuration speaks of one) and clean it all up at the end.

    The services are not waited for: ``worlds.services.wait()`` does that.

    Raises:
        ServerError: no server can be had. ConfigError: the schema cannot be applied, or a service has no program.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(reaper.temporary_directory())
        helpers = start_services(
            config.world.services, folder=folder / "services", root=config.root, pythonpath=import_folders(config)
        )
        services = stack.enter_context(helpers)  # they come up while the server does
        server: PostgresServer | None = None
        if needs_postgres(config.world):
            server = stack.enter_context(start_server(postgres)) if isinstance(postgres, str) else postgres
        yield stack.enter_context(Worlds(config, folder, server, services).ready())


def worker_for(worlds: Worlds, machine: Machine) -> Worker:
    """Start a worker process on `machine`, for the worlds that `worlds` makes."""
    config = worlds.config
    return Worker(
        home=worlds.folder / f"airflow-{machine.name}",
        own=worlds.own,
        dags_folder=config.dags_folder,
        machine=machine,
        env=worlds.environment(machine),
        variables=worlds.stored_variables,
        pythonpath=import_folders(config),
        allowed=worlds.allowed(machine),
        log=worlds.folder / f"worker-{machine.name}.log",
    )
