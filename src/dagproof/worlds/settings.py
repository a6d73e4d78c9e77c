"""What the configuration's connections and permissions mean for a world."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dagproof.config import Config, WorldConfig
from dagproof.config.placeholders import fill, fill_all, mentions
from dagproof.errors import ConfigError
from dagproof.worlds.addresses import FILE_ENDINGS, literal_addresses

#: Endings of files at fixed paths, besides those that tell text from a host's name.
_FURTHER_ENDINGS = frozenset({
    "arrow", "dat", "db", "done", "duckdb", "feather", "flag", "lock", "ok", "pickle", "pid", "pkl", "png", "sqlite",
    "sqlite3", "tmp", "xls", "xlsx",
})  # fmt: skip


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
    values = (world.connections, world.env, world.variables)
    return bool(world.schema or world.databases) or mentions(values, world.all_databases)


def world_environment(world: WorldConfig, places: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that the configuration gives: `env`, connections and variables."""
    connections = {
        f"AIRFLOW_CONN_{conn_id.upper()}": connection_value(value, places)
        for conn_id, value in world.connections.items()
    }
    variables = {f"AIRFLOW_VAR_{key.upper()}": fill(value, places) for key, value in world.variables.items()}
    return {**{name: fill(value, places) for name, value in world.env.items()}, **connections, **variables}


def connection_value(value: str | Mapping[str, Any], places: Mapping[str, str]) -> str:
    """Return a connection as Airflow reads it from the environment.

    ``file:PATH`` is a folder for the file sensors; other texts are Airflow connection URIs or JSON; a table has
    Airflow's own field names.
    """
    if isinstance(value, Mapping):
        return json.dumps(fill_all(value, places))
    text = fill(value, places)
    if text.startswith("file:"):
        return json.dumps({"conn_type": "fs", "extra": {"path": text.removeprefix("file:").removeprefix("//")}})
    return text


def lay_out(config: Config, folder: Path) -> None:
    """Make `folder` anew, with the files that each world begins with."""
    source = files_folder(config)
    if source:
        shutil.copytree(source, folder, symlinks=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)


def is_file(path: str) -> bool:
    """Tell whether a fixed path is that of a file: it ends as files' names do, such as ``/tmp/orders.csv``."""
    return path.rpartition(".")[2].lower() in FILE_ENDINGS | _FURTHER_ENDINGS


def files_folder(config: Config) -> Path | None:
    """Return the folder of the files that each world begins with; None where there is none.

    Raises:
        ConfigError: the configuration names one that is not there.
    """
    named = config.world.files
    if named and not (config.root / named).is_dir():
        raise ConfigError(
            f"tool.dagproof.world.files is {named!r}, but there is no folder {config.root / named}"
            "; create it, or fix the path"
        )
    return config.root / named if named else None


def import_folders(config: Config) -> list[str]:
    """Return the folders to import from, besides the DAG folder."""
    return [str((config.root / path).resolve()) for path in config.pythonpath]
