"""Worlds: one disposable set of stores, connections, variables, environment and a clock, for one history.

One world exists at a time. Each is made anew at the same place, under the same names, because a path or a database
name that changed from world to world could end up in a row and look like a fault of the DAG.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dagproof.config import Config, WorldConfig
from dagproof.errors import ConfigError, DagproofError
from dagproof.histories import Step
from dagproof.worlds import guard, reaper, snapshot
from dagproof.worlds.machine import Machine
from dagproof.worlds.metadata import replace_metadata
from dagproof.worlds.servers import PostgresServer, start_server, unique_name
from dagproof.worlds.snapshot import Snapshot
from dagproof.worlds.worker import Worker

PLACEHOLDERS = ("postgres", "files")
#: How long after its due time the scheduler starts a run, and how long after a run it is run again.
START_DELAY = timedelta(minutes=1)
RERUN_DELAY = timedelta(days=1, hours=1)


class RunFailedError(DagproofError):
    """A run did not end in success, so that there is nothing to compare."""

    def __init__(self, message: str, log_tail: str) -> None:
        super().__init__(message)
        self.log_tail = log_tail


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

    def __init__(self, config: Config, folder: Path, server: PostgresServer | None) -> None:
        self.config = config
        self.folder = folder
        self.server = server
        self.world_folder = folder / "world"
        self.files = self.world_folder / "files"
        self.metadata_template = folder / "metadata-template.db"
        self._template = unique_name("template")
        self._database = unique_name()
        self.conninfo = server.url(self._database) if server else None
        self._log_count = 0

    @contextmanager
    def ready(self) -> Iterator[Worlds]:
        """Make the template database with the schema applied; drop it at the end.

        Raises:
            ConfigError: a schema file is missing, or PostgreSQL refuses it.
        """
        self._empty_folders()
        if self.server is None:
            yield self
            return
        self.server.create_database(self._template)
        try:
            self._apply_schema(self.server)
            yield self
        finally:
            self.server.drop_database(self._template)

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a run: the world's own, its connections and its variables."""
        world = self.config.world
        places = self._places()
        own = {name: str(self.world_folder / folder) for name, folder in (("HOME", "home"), ("TMPDIR", "tmp"))}
        connections = {
            f"AIRFLOW_CONN_{conn_id.upper()}": connection_value(conn_id, value, places)
            for conn_id, value in world.connections.items()
        }
        variables = {f"AIRFLOW_VAR_{key.upper()}": fill(value, places) for key, value in world.variables.items()}
        return {**own, **{k: fill(v, places) for k, v in world.env.items()}, **connections, **variables}

    def guard(self) -> dict[str, Any]:
        """Return what may be written and connected to: this proof's own folder, what is mapped and what is allowed."""
        world = self.config.world
        paths = [entry for entry in world.allow if entry.startswith("/")]
        hosts = [entry for entry in world.allow if not entry.startswith("/")]
        mapped = [*world.env.values(), *world.variables.values(), *_connection_urls(world)]
        urls = [fill(value, self._places()) for value in mapped]
        return {"writable": [str(self.folder), *paths], "endpoints": sorted(guard.endpoints_in([*urls, *hosts]))}

    @contextmanager
    def world(self, worker: Worker) -> Iterator[World]:
        """Make a fresh world in which `worker` runs DAGs; destroy it at the end."""
        self._empty_folders()
        replace_metadata(self.metadata_template, worker.metadata)
        if self.server is None:
            yield World(self, worker)
            return
        self.server.create_database(self._database, template=self._template)
        try:
            yield World(self, worker)
        finally:
            self.server.drop_database(self._database)

    def next_log(self) -> Path:
        """Return a new file for the log of a run."""
        self._log_count += 1
        return self.folder / "logs" / f"{self._log_count:05d}.log"

    def _empty_folders(self) -> None:
        if self.world_folder.exists():
            reaper.rmtree(str(self.world_folder))
        for name in ("files", "home", "tmp"):
            (self.world_folder / name).mkdir(parents=True)
        (self.folder / "logs").mkdir(exist_ok=True)

    def _places(self) -> dict[str, str]:
        return {"files": str(self.files), **({"postgres": self.conninfo} if self.conninfo else {})}

    def _apply_schema(self, server: PostgresServer) -> None:
        import psycopg

        for name in self.config.world.schema:
            path = self.config.root / name
            try:
                statements = path.read_bytes()
                with psycopg.connect(server.url(self._template), autocommit=True) as connection:
                    connection.execute(statements)
            except OSError as error:
                raise ConfigError(f"tool.dagproof.world.schema: cannot read {name} ({error.strerror})") from error
            except psycopg.Error as error:
                first = str(error).strip().splitlines()[0]
                raise ConfigError(f"tool.dagproof.world.schema: PostgreSQL refuses {name}: {first}") from error


class World:
    """The world that exists now: runs happen in it, and snapshots are taken of it."""

    def __init__(self, worlds: Worlds, worker: Worker) -> None:
        self._worlds = worlds
        self._worker = worker
        self._now: datetime | None = None

    def run(self, run: Run, step: Step, *, watch: Path | None = None) -> dict[str, Any]:
        """Let the step happen: run the DAG, or run it again a day later. Return the run's report.

        `watch` is an empty folder that receives a snapshot after each task.

        Raises:
            RunFailedError: the run failed, hung or died.
        """
        log = self._worlds.next_log()
        report = self._worker.run(
            {
                "dag": run.dag_id,
                "run": dict(run.spec),
                "clock": self._clock_for(run, step).isoformat(),
                "cwd": str(self._worlds.files),
                "timeout": self._worlds.config.world.timeout,
                "log": str(log),
                "result": str(self._worlds.world_folder / "result.json"),
                "watch": self._watch(watch),
            }
        )
        if report["state"] != "success":
            raise RunFailedError(self._why(run, step, report), log_tail(log))
        self._now = datetime.fromisoformat(report["ended"])
        return report

    def snapshot(self) -> Snapshot:
        """Return the content of all stores."""
        return snapshot.take(self._worlds.conninfo, self._worlds.files)

    def _watch(self, folder: Path | None) -> dict[str, Any] | None:
        if folder is None:
            return None
        return {"into": str(folder), "conninfo": self._worlds.conninfo, "files": str(self._worlds.files)}

    def _clock_for(self, run: Run, step: Step) -> datetime:
        """Return the wall clock at the start: never before the run is due, nor before the last run ended."""
        due = run.run_after + START_DELAY
        if self._now is None:
            return due
        return max(due, self._now + (RERUN_DELAY if step.kind == "rerun" else START_DELAY))

    def _why(self, run: Run, step: Step, report: Mapping[str, Any]) -> str:
        what = f"the {step.kind} of {run.dag_id} for {step.date}"
        if report["state"] == "timeout":
            limit = self._worlds.config.world.timeout
            return (
                f"{what} took more than {limit:g} s and was killed; raise timeout in [tool.dagproof.world] if it must"
            )
        if report["reason"]:
            return f"{what} failed: {report['reason']}"
        failed = [task for task in report["tasks"] if task["state"] == "failed"]
        if not failed:
            return f"{what} ended as {report['state']}, and no task failed"
        task = failed[0]
        return f"{what} failed in task {task['task_id']}: {task['error'] or 'no reason given'}"


def fill(value: str, places: Mapping[str, str]) -> str:
    """Return `value` with each ``{postgres}`` and ``{files}`` replaced; any other braces stay as they are.

    Raises:
        ConfigError: ``{postgres}`` is used and there is no PostgreSQL.
    """
    for name in PLACEHOLDERS:
        if f"{{{name}}}" in value:
            value = value.replace(f"{{{name}}}", places[name])
    return value


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
        return json.dumps({k: fill(v, places) if isinstance(v, str) else v for k, v in value.items()})
    text = fill(value, places)
    if not text.startswith("{") and (unknown := re.search(r"\{(\w+)\}", text)):
        raise ConfigError(
            f"tool.dagproof.world.connections.{conn_id} has the placeholder {unknown.group()}; there is "
            f"{{postgres}} and {{files}}"
        )
    if text.startswith("file:"):
        return json.dumps({"conn_type": "fs", "extra": {"path": text.removeprefix("file:").removeprefix("//")}})
    return text


def _connection_urls(world: WorldConfig) -> Iterator[str]:
    """Yield the text of each connection; of a table, its ``host:port``."""
    for value in world.connections.values():
        if isinstance(value, str):
            yield value
        elif "host" in value:
            host, port = str(value["host"]), value.get("port")
            scheme = str(value.get("conn_type", ""))
            yield host if "://" in host else f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"


def log_tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a run's log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


@contextmanager
def open_worlds(config: Config, postgres: str | PostgresServer) -> Iterator[Worlds]:
    """Start what worlds need (a server only where the configuration speaks of one) and clean it all up at the end.

    Raises:
        ServerError: no server can be had. ConfigError: the schema cannot be applied.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(reaper.temporary_directory())
        server: PostgresServer | None = None
        if needs_postgres(config.world):
            server = stack.enter_context(start_server(postgres)) if isinstance(postgres, str) else postgres
        yield stack.enter_context(Worlds(config, folder, server).ready())


def worker_for(worlds: Worlds, machine: Machine) -> Worker:
    """Start a worker process on `machine`, for the worlds that `worlds` makes."""
    config = worlds.config
    return Worker(
        home=worlds.folder / f"airflow-{machine.name}",
        dags_folder=config.dags_folder,
        machine=machine,
        env=worlds.environment(),
        pythonpath=[str((config.root / path).resolve()) for path in config.pythonpath],
        guard=worlds.guard(),
        log=worlds.folder / f"worker-{machine.name}.log",
    )
