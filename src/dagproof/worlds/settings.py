"""What the configuration's connections and permissions mean for a world."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dagproof.config import Config, WorldConfig, fill
from dagproof.errors import ConfigError, nearest
from dagproof.worlds.addresses import literal_addresses


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


def import_folders(config: Config) -> list[str]:
    """Return the folders to import from, besides the DAG folder."""
    return [str((config.root / path).resolve()) for path in config.pythonpath]
