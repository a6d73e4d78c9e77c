"""Worlds: one disposable set of stores, connections, variables, environment and a clock, for one history.

One world exists at a time. Each is made anew at the same place, under the same names, because a path or a database
name that changed from world to world could end up in a row and look like a fault of the DAG.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dagproof import reaper
from dagproof.config import Config, WorldConfig, fill
from dagproof.errors import ConfigError, DagproofError, nearest
from dagproof.inside.machine import HERE, Machine
from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.postgres.servers import start_server
from dagproof.postgres.wire import FUNCTIONS, Lane, Proxy, moved_sql
from dagproof.stores import snapshot
from dagproof.stores.database import sequences
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds import shell_date
from dagproof.worlds.addresses import allowed_endpoints, literal_addresses
from dagproof.worlds.metadata import replace_metadata, variables_in
from dagproof.worlds.runlog import log_tail
from dagproof.worlds.services import Services, start_services
from dagproof.worlds.turning import turn_rows
from dagproof.worlds.worker import Worker

Report = dict[str, Any]
"""What a run says of itself; :func:`dagproof.airflow.runner.run_in_child` makes it."""

#: How long after its due time the scheduler starts a run, and how long after a run it is run again.
START_DELAY = timedelta(minutes=1)
RERUN_DELAY = timedelta(days=1, hours=1)
#: How long after all other runs a backfill is made.
BACKFILL_DELAY = timedelta(days=30, hours=7)
#: How many of the refusals that a run met are shown when it fails.
MOST_REFUSALS = 3


class RunFailedError(DagproofError):
    """A run did not end in success, so that there is nothing to compare."""

    def __init__(self, message: str, log_tail: str, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.log_tail = log_tail
        self.report: Report = dict(report or {})
        """What the run says of itself, as far as it could."""
        self.left: Snapshot | None = None
        """What is in the stores after it; None where nobody has looked."""

    @property
    def raised(self) -> str:
        """``file.py:line`` of the user's own code that the error of its task went through; empty without any."""
        failure = unwanted(self.report)
        return str((failure or {}).get("raised") or "")


@dataclass(frozen=True)
class Run:
    """The run that the scheduler makes of a DAG for a date."""

    dag_id: str
    spec: Mapping[str, Any]

    @property
    def run_after(self) -> datetime:
        """When the scheduler may start it."""
        return datetime.fromisoformat(self.spec["run_after"])


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
                    self._proxy = stack.enter_context(Proxy(self.server.host, self.server.port))
                yield self
        finally:
            self.server.drop_database(self._template)

    def lane(self, machine: Machine) -> Lane | None:
        """Return the way to the database that the worker on `machine` has to itself; None where there is no database.

        A database that wants its connections encrypted is reached without one.
        """
        if self._proxy is None:
            return None
        lane = self._proxy.lane(machine.name)
        lane.hold_to(self._database)
        return lane

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

    def guard(self, machine: Machine) -> dict[str, Any]:
        """Return what may be written and connected to: this proof's own folder, what is mapped and what is allowed."""
        world = self.config.world
        paths = [entry for entry in world.allow if entry.startswith("/")]
        allowed = allowed_endpoints(world)
        endpoints = [*allowed, *self.services.endpoints]
        if self.server is not None:
            lane = self.lane(machine)
            endpoints.append(("127.0.0.1", lane.port) if lane else (self.server.host, self.server.port))
        inside = [self.files, self.home, self.temporary, self.run_folder, self.own]
        return {
            "writable": [*map(str, inside), *paths],
            "floor": [str(self.world_folder), str(self.own), *paths],
            "endpoints": endpoints,
            "beside": beside(world, self.services.places, allowed),
        }

    @contextmanager
    def world(self, worker: Worker, saved: SavedWorld | None = None) -> Iterator[World]:
        """Make a fresh world in which `worker` runs DAGs, or one like `saved`; destroy it at the end."""
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

    def left_aside(self) -> list[dict[str, str]]:
        """Return what a run that is over has left and nobody compares, as its report says it."""
        scratch = [f"~/{name}" for name in snapshot.HOME_SCRATCH if any(self.home.glob(name))]
        why = "not compared, since it is a cache or a history"
        entries = [{"what": name, "why": why, "setting": ""} for name in scratch]
        if any(self.temporary.iterdir()):
            why = "not compared, since it is emptied before each run"
            entries.append({"what": "the folder for temporary files", "why": why, "setting": ""})
        return entries

    def places(self, machine: Machine) -> dict[str, str]:
        """Return what the placeholders of the configuration stand for, for the worker on `machine`."""
        places = {"files": str(self.files), **self.services.places}
        if self.server is not None:
            lane = self.lane(machine)
            through = ("127.0.0.1", lane.port) if lane else (None, None)
            places["postgres"] = self.server.url(self._database, host=through[0], port=through[1])
        return places

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


#: What an error says when a task expects a date that its run does not have; and what is said of it then.
OF_DATES = re.compile(r"\b(ds(_nodash)?|ts(_nodash)?|logical_date|data_interval(_start|_end)?|None(Type)?)\b")
DATELESS = " (a run that an asset triggers has no logical_date and no ds; dag_run.run_after is always there)"


@dataclass(frozen=True)
class SavedWorld:
    """A copy of a world: its folders, its metadata database, its database, and the time there."""

    folder: Path
    metadata: Path
    database: str | None
    now: datetime | None


class World:
    """The world that exists now: runs happen in it, and snapshots are taken of it."""

    def __init__(self, worlds: Worlds, worker: Worker, now: datetime | None = None) -> None:
        self.worlds = worlds
        self.worker = worker
        self.now = now
        """When the last run ended; None when nothing has run."""
        self.machine = worker.machine
        """The machine that its runs believe they are on."""
        self.scratch: tuple[str, ...] = ()
        """What no reader reads: a snapshot has the rows of views over it."""
        self.reports: list[Report] = []
        """What each run that ended here says of itself, with its ``dag``."""

    def run(self, run: Run, what: str, *, at: str = "", pause: timedelta = START_DELAY, **extras: Any) -> Report:
        """Run a DAG, as the scheduler would; `what` names the run in an error, `extras` go into the request.

        Raises:
            RunFailedError: the run failed, hung or died.
        """
        request = self.request(run, at=at, pause=pause, **extras)
        self.start(request)
        report = {**self.worker.finished_run(), "clock": request["clock"]}
        self.ended(report, request)
        if report["state"] != "success":
            raise RunFailedError(self.why(what, report), log_tail(Path(request["log"])), report)
        return report

    def request(self, run: Run, *, at: str = "", pause: timedelta = START_DELAY, **extras: Any) -> dict[str, Any]:
        """Return what a worker is asked for to run a DAG: never before it is due, nor before the last run ended."""
        due = run.run_after + START_DELAY
        clock = datetime.fromisoformat(at) if at else due if self.now is None else max(due, self.now + pause)
        return {
            "dag": run.dag_id,
            "run": dict(run.spec),
            "clock": clock.isoformat(),
            "cwd": str(self.worlds.files),
            "timeout": self.worlds.config.world.timeout,
            "disk": int(self.worlds.config.world.disk * 1_000_000),
            "log": str(self.worlds.next_log()),
            "result": str(self.worlds.run_folder / "result.json"),
            "may_fail": {dag_id: list(proof.may_fail) for dag_id, proof in self.worlds.config.proofs.items()},
            "machine": self.machine.to_json(),
            "turn": self.postgres if self.machine.turns else None,
            **extras,
        }

    def start(self, request: Mapping[str, Any], worker: Worker | None = None) -> int:
        """Begin a run, on another worker than the world's if one is given; return the process id of its child."""
        if worker is None:  # it is the only one in this world
            self.worlds.empty_temporary()
        worker = worker or self.worker
        self.worlds.set_clock(worker.machine, datetime.fromisoformat(request["clock"]))
        return worker.start_run(dict(request))

    def ended(self, report: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        """Note that a run has ended: at the time it says, or as soon as it began where it could not say so."""
        left_out = [*report.get("left_out", ()), *self.worlds.left_aside()]
        self.reports.append({**report, "left_out": left_out, "dag": request["dag"]})
        ended = datetime.fromisoformat(report.get("ended") or request["clock"])
        self.now = ended if self.now is None else max(self.now, ended)

    def snapshot(self) -> Snapshot:
        """Return the content of all stores."""
        return snapshot.take(self.worlds.conninfo, self.worlds.files, self.worlds.home, scratch=self.scratch)

    def turn_rows(self) -> list[str]:
        """Put the rows that are there into another physical order, where the machine turns; return what was not."""
        return turn_rows(self.worlds.conninfo) if self.machine.turns and self.worlds.conninfo else []

    def lane(self) -> Lane | None:
        """The worker's way to the database, on which messages can be counted, lost and held; None without one."""
        return self.worlds.lane(self.worker.machine)

    def fingerprint(self, now: Snapshot) -> str:
        """Return a text that is the same for worlds in which the next run finds the same: with the content `now`.

        Besides that it tells of sequences, of Airflow's variables, and of what is scratch at home.
        """
        digest = hashlib.sha256(repr((now.tables, now.files, now.structure)).encode())
        digest.update(repr(snapshot.take(None, self.worlds.home).files).encode())
        if self.worlds.conninfo:
            digest.update(repr(sequences(self.worlds.conninfo)).encode())
        digest.update(repr(variables_in(self.worker.metadata)).encode())
        return digest.hexdigest()

    def watch(self, folder: Path) -> dict[str, Any]:
        """Return the request's part that lets a run put a snapshot into the empty `folder` after each task."""
        stores = {"conninfo": self.postgres, "files": str(self.worlds.files), "home": str(self.worlds.home)}
        return {"into": str(folder), **stores, "scratch": list(self.scratch)}

    @property
    def postgres(self) -> str | None:
        """The address of the world's database as its worker reaches it; None where there is none."""
        return self.worlds.places(self.worker.machine).get("postgres")

    def why(self, what: str, report: Mapping[str, Any]) -> str:
        """Say in one sentence why the run that `what` names did not end in success."""
        if report["state"] == "timeout":
            limit = self.worlds.config.world.timeout
            return (
                f"{what} took more than {limit:g} s and was killed; raise timeout in [tool.dagproof.world] if it must"
            )
        if report["state"] == "full":
            limit = self.worlds.config.world.disk
            return f"{what} wrote more than {limit:g} MB and was killed; raise disk in [tool.dagproof.world] if it must"
        if report["reason"]:
            return f"{what} failed: {report['reason']}" + refusals(report)
        return self._why_it_failed(what, report) + refusals(report)

    def _why_it_failed(self, what: str, report: Mapping[str, Any]) -> str:
        failure = unwanted(report)
        if failure is None:
            return f"{what} ended as {report['state']}, and no task failed"
        return f"{what} {_how_it_failed(failure, report)}"


def unwanted(report: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the first task that failed, although the configuration does not let it; None where there is none."""
    return next((failure for failure in report.get("failures", ()) if not failure["wanted"]), None)


def _how_it_failed(failure: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Return what is said of a run in which a task failed: that it is green all the same, where it is."""
    task, where = failure["task_id"], f" in [tool.dagproof.proofs.{report['dag']}]"
    if failure["state"] == "upstream_failed":
        why = "did not run, because a task before it failed"
        return f"failed: task {task} {why}; if it may be so, add {task!r} to may_fail{where}"
    error = failure["error"] or "no reason given"
    if report["dag_run"] != "success":
        hint = DATELESS if not report.get("dated", True) and OF_DATES.search(error) else ""
        return f"failed in task {task}: {error}{hint}"
    return f"is green, but task {task} failed: {error}; if it may fail, add {task!r} to may_fail{where}"


def refusals(report: Mapping[str, Any]) -> str:
    """Return what was refused to the run, to follow its error, where that does not say it already."""
    errors = [str(report["reason"] or ""), *(str(task["error"] or "") for task in report["tasks"])]
    untold = [told for told in report.get("refused", ()) if not any(told in error for error in errors)]
    more = f" (and {len(untold) - MOST_REFUSALS} more)" if len(untold) > MOST_REFUSALS else ""
    return "".join(f"; {told}" for told in untold[:MOST_REFUSALS]) + more


def execute(conninfo: str, path: Path, name: str, where: str, *, moves_clock: bool = False, **values: str) -> None:
    """Run the SQL file `path` (called `name`, configured at `where`), ``{key}`` in it standing for a value.

    Where the clock of SQL is moved, the defaults and functions that the file makes go by that.

    Raises:
        ConfigError: it cannot be read, or PostgreSQL refuses it.
    """
    import psycopg

    try:
        statements = path.read_bytes()
        for key, value in values.items():
            statements = statements.replace(f"{{{key}}}".encode(), value.encode())
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(moved_sql(statements) if moves_clock else statements)
    except OSError as error:
        raise ConfigError(f"{where}: cannot read {name} ({error.strerror})") from error
    except psycopg.Error as error:
        first = str(error).strip().splitlines()[0]
        raise ConfigError(f"{where}: PostgreSQL refuses {name}: {first}") from error


def beside(
    world: WorldConfig, services: Mapping[str, str], allowed: Iterable[tuple[str, int]]
) -> dict[str, tuple[str, str]]:
    """Return what a run may reach that nobody compares: ``host:port`` or a path, and how it is noted and called.

    The connections that lead there are named, too; the port of a service is not, since it is another one each time.
    """
    leads = [(setting.removeprefix("connections."), place) for setting, place in literal_addresses(world)]
    found: dict[str, tuple[str, str]] = {p: ("wrote", _called(p)) for p in world.allow if p.startswith("/")}
    for host, port in allowed:
        place = f"{host}:{port}"
        names = [name for name, leads_to in leads if leads_to in (place, f"{host}:") and name in world.connections]
        found[place] = ("reached", f"{place} (connection {', '.join(names)})" if names else place)
    for name, place in services.items():
        found[place] = ("served", f"service {name}")
    return found


def _called(path: str) -> str:
    return f"files below {path}" if os.path.isdir(path) else path


def needs_postgres(world: WorldConfig) -> bool:
    """Tell whether anything in the configuration speaks of a PostgreSQL."""
    texts = [*_connection_urls(world), *world.env.values(), *world.variables.values()]
    return bool(world.schema) or any("{postgres}" in text for text in texts)


def connection_value(conn_id: str, value: str | Mapping[str, Any], places: Mapping[str, str]) -> str:
    """Return a connection as Airflow reads it from the environment.

    ``file:PATH`` is a folder for the file sensors; other texts are Airflow connection URIs or JSON; a table has
    Airflow's own field names.

    Raises:
        ConfigError: it has a placeholder that does not exist.
    """
    if isinstance(value, Mapping):
        return json.dumps(_filled(value, places))
    text = fill(value, places)
    if not text.lstrip().startswith('{"') and (unknown := re.search(r"\{(\w+)\}", text)):
        raise ConfigError(
            f"tool.dagproof.world.connections.{conn_id} has the placeholder {unknown.group()}"
            f"{nearest(unknown[1], places)}"
        )
    if text.startswith("file:"):
        return json.dumps({"conn_type": "fs", "extra": {"path": text.removeprefix("file:").removeprefix("//")}})
    return text


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    """Return a value of a table, with all placeholders in it replaced, however deep."""
    if isinstance(value, Mapping):
        return {key: _filled(entry, places) for key, entry in value.items()}
    return fill(value, places) if isinstance(value, str) else value


def _connection_urls(world: WorldConfig) -> Iterator[str]:
    """Yield the text of each connection; of a table, its ``host:port``."""
    for value in world.connections.values():
        if isinstance(value, str):
            yield value
        elif "host" in value:
            host, port = str(value["host"]), value.get("port")
            scheme = str(value.get("conn_type", ""))
            yield host if "://" in host else f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"


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


def import_folders(config: Config) -> list[str]:
    """Return the folders to import from, besides the DAG folder."""
    return [str((config.root / path).resolve()) for path in config.pythonpath]


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
        guard=worlds.guard(machine),
        log=worlds.folder / f"worker-{machine.name}.log",
    )
