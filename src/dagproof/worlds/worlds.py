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
from functools import partial
from pathlib import Path

from dagproof import reaper
from dagproof.config import Config
from dagproof.config.placeholders import fill, mentions
from dagproof.inside.exchange import Allowed, LeftOut
from dagproof.inside.machine import HERE, Machine
from dagproof.postgres.server import LOOPBACK, PostgresServer
from dagproof.postgres.servers import start_server
from dagproof.postgres.wire import Lane
from dagproof.stores import snapshot
from dagproof.worlds import shell_date
from dagproof.worlds.addresses import allowed_endpoints
from dagproof.worlds.databases import Databases, named_by, prefixed
from dagproof.worlds.filling import fill_templates
from dagproof.worlds.metadata import replace_metadata
from dagproof.worlds.schema import Target, execute
from dagproof.worlds.services import Services, start_services
from dagproof.worlds.settings import beside, import_folders, is_file, lay_out, needs_postgres, world_environment
from dagproof.worlds.standing import Standing
from dagproof.worlds.worker import Worker
from dagproof.worlds.world import World


@dataclass(frozen=True)
class SavedWorld:
    """A copy of a world: its folders, its metadata database, its databases, and the time there."""

    folder: Path
    metadata: Path
    databases: dict[str, str]
    now: datetime | None


class Worlds:
    """Makes one world after the other for the length of a proof; holds what they share.

    That is the server with its template databases, the folder, and the values that the placeholders stand for.
    """

    def __init__(self, config: Config, folder: Path, server: PostgresServer | None, services: Services) -> None:
        self.config = config
        self.folder = folder
        self.databases = Databases(config, server) if server else None
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
        self._log_count = 0
        self._saved_count = 0
        self.standing = Standing()
        self._is_there = False

    @contextmanager
    def ready(self) -> Iterator[Worlds]:
        """Make the template databases with their schemas applied; drop them at the end.

        Raises:
            ConfigError: a schema file is missing, or PostgreSQL refuses it.
        """
        self._empty_folders()
        shell_date.install(self.programs)
        if self.databases is None:
            yield self
            return
        with self.databases.ready(partial(fill_templates, self)):
            yield self

    def lane(self, machine: Machine) -> Lane | None:
        """Return the way to the databases that the worker on `machine` has to itself; None where there are none.

        A server that wants its connections encrypted is reached without one.
        """
        return self.databases.lane(machine.name) if self.databases else None

    def set_clock(self, machine: Machine, now: datetime) -> None:
        """Let SQL see that it is `now`, in sessions that begin from now on; from here, time goes by as it does."""
        if self.databases:
            self.databases.move_clock(machine.name, now.timestamp() - time.time())

    @contextmanager
    def lock_watch(self) -> Iterator[Callable[[], bool]]:
        """Yield a function that tells whether a session in the world's databases waits for one that is held.

        A run that is held sends nothing, so what it has locked is locked by a session that waits for its client.
        Others wait for a moment, too, such as two sessions that extend the same table.
        """
        if self.databases is None:
            yield lambda: False
            return
        query = (
            "SELECT EXISTS (SELECT FROM pg_stat_activity AS waiting"
            " CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS blocking(pid)"
            " JOIN pg_stat_activity AS held ON held.pid = blocking.pid AND held.wait_event = 'ClientRead'"
            " WHERE waiting.datname = ANY(%s) AND waiting.wait_event_type = 'Lock')"
        )
        names = list(self.databases.names.values())
        with self.databases.server.connect() as connection:

            def is_waiting() -> bool:
                row = connection.execute(query, [names]).fetchone()
                return bool(row and row[0])

            yield is_waiting

    def environment(self, machine: Machine) -> dict[str, str]:
        """Return the environment variables of a run: the world's own, its connections and its variables."""
        own = {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        own["PATH"] = os.pathsep.join([str(self.programs), os.environ.get("PATH", os.defpath)])
        return {**own, **world_environment(self.config.world, self.places(machine))}

    @property
    def stored_variables(self) -> dict[str, str]:
        """The variables that are kept where Airflow keeps them, so that a task can change them.

        An address of the database is another one on each machine, and stays in the environment, which comes first.
        """
        world = self.config.world
        variables = {k: value for k, value in world.variables.items() if not mentions(value, world.all_databases)}
        return {key: fill(value, self.places(HERE)) for key, value in variables.items()}

    def allowed(self, machine: Machine) -> Allowed:
        """Return what may be written and connected to: this proof's own folder, what is mapped and what is allowed."""
        world = self.config.world
        paths = [entry for entry in world.allow if entry.startswith("/")]
        named = allowed_endpoints(world)
        endpoints = [*named, *self.services.endpoints]
        if self.databases:
            endpoints.append(self.databases.endpoint(machine.name))
        inside = [self.files, self.home, self.temporary, self.run_folder, self.own]
        return Allowed(
            writable=(*map(str, inside), *paths),
            floor=(str(self.world_folder), str(self.own), *paths),
            endpoints=tuple(endpoints),
            beside=beside(world, self.services.places, named),
            paths=self.paths,
        )

    @contextmanager
    def world(self, worker: Worker, saved: SavedWorld | None = None) -> Iterator[World]:
        """Make a fresh world in which `worker` runs DAGs, or one like `saved`; destroy it at the end.

        There can be one at a time (:attr:`is_open`): they would have the same folders and the same database. So the one
        that stands is destroyed before.
        """
        self.standing.clear()
        self._is_there = True
        try:
            with self._world(worker, saved) as world:
                yield world
        finally:
            self._is_there = False

    @property
    def is_open(self) -> bool:
        """Whether somebody uses a world now: none just stands."""
        return self._is_there and not self.standing

    @contextmanager
    def _world(self, worker: Worker, saved: SavedWorld | None) -> Iterator[World]:
        self._empty_folders(saved)
        replace_metadata(saved.metadata if saved else self.metadata_template, worker.metadata)
        now = saved.now if saved else None
        if self.databases is None:
            yield World(self, worker, now)
            return
        self.databases.create(saved.databases if saved else None)
        try:
            yield World(self, worker, now)
        finally:
            self.databases.drop()

    def save(self, world: World) -> SavedWorld:
        """Keep a copy of the world as it is now, to begin others with; nobody may be connected to its databases."""
        self._saved_count += 1
        folder = self.folder / "saved" / f"{self._saved_count:05d}"
        shutil.copytree(self.world_folder, folder / "world", symlinks=True)
        metadata = folder / "metadata.db"
        replace_metadata(world.worker.metadata, metadata)
        return SavedWorld(folder, metadata, self.databases.save() if self.databases else {}, world.now)

    def forget(self, saved: SavedWorld) -> None:
        """Remove a saved world."""
        if self.databases:
            self.databases.forget(saved.databases)
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
        lay_out(self.config, self.files)
        targets = ((path, Path(fill(target, self.folders))) for path, target in self.config.world.paths.items())
        places = (target.parent if is_file(path) else target for path, target in targets)
        for folder in (*folders, self.own / "logs", *places):
            if not folder.exists():  # a path may lead to a file
                folder.mkdir(parents=True)

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

    def named_places(self, machine: Machine) -> dict[tuple[str, int], str]:
        """Return what people call the addresses at which the database and the services of a world are."""
        found = {(LOOPBACK, int(place.rpartition(":")[2])): name for name, place in self.services.places.items()}
        if lane := self.lane(machine):
            found[LOOPBACK, lane.port] = "PostgreSQL"
        return found

    def addresses(self, machine: Machine) -> dict[str, str]:
        """Return the address of each database, for the worker on `machine`."""
        return self.databases.urls(machine.name) if self.databases else {}

    @property
    def conninfos(self) -> dict[str, str]:
        """The addresses of the databases as they are, by how the names of tables begin there."""
        return prefixed(self.databases.urls()) if self.databases else {}

    @property
    def paths(self) -> dict[str, str]:
        """The paths that lead into the world, and where to."""
        named = self.config.world.paths.items()
        return {os.path.normpath(path): fill(target, self.folders) for path, target in named}

    @property
    def folders(self) -> dict[str, str]:
        """What the placeholders of folders stand for."""
        return {"files": str(self.files), "project": str(self.config.root)}

    def places(self, machine: Machine) -> dict[str, str]:
        """Return what the placeholders of the configuration stand for, for the worker on `machine`."""
        return {**self.folders, **self.services.places, **self.addresses(machine)}

    def execute(self, what: str, where: str, **values: str) -> None:
        """Run an SQL file on a database of the world, ``{name}`` in it standing for a value; `where` it is configured.

        It is ``path.sql``, or ``name:path.sql`` for another database than the first.

        Raises:
            ConfigError: there is no such database, the file cannot be read, or PostgreSQL refuses it.
        """
        databases = self.databases
        url, path = named_by(what, databases.urls() if databases else {}, where)
        target = Target(url, bool(databases and databases.moves_clock))
        execute(target, self.config.root / path, path, where, root=self.config.root, **values)


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
