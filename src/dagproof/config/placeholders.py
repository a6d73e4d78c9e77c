r"""Placeholders of the configuration: ``{files}``, ``{postgres.host}``, ``{postgres+psycopg2}`` and the like.

A placeholder is a name in braces. A database has parts, and its URL may name a driver, as SQLAlchemy's do; a service
has a host and a port. Text that only looks like one is written with a backslash: ``\{date}`` stands for ``{date}``.
``{{ ds }}`` and ``${HOME}`` are other people's, and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from dagproof.errors import ConfigError, nearest

POSTGRES = "postgres"
"""The world's first database."""
FOLDERS = ("files", "project")
"""The world's folder, and that of the configuration."""
DATABASE_PARTS = ("host", "port", "user", "password", "database")
SERVICE_PARTS = ("host", "port")
PORT = "port"
"""The placeholder in the command of a service."""

_ONE = re.compile(r"(\\?)(?<![{$])\{([A-Za-z_]\w*)(?:\.(\w+)|\+(\w+))?\}(?!\})", re.ASCII)


def fill(value: str, places: Mapping[str, str]) -> str:
    """Return `value` with each placeholder of `places` replaced: by its place, a part of it, or a URL with a driver."""

    def stands_for(match: re.Match[str]) -> str:
        escaped, name, part, driver = match.groups()
        if escaped:
            return match[0][1:]
        if name not in places:
            return match[0]
        if driver:
            return f"postgresql+{driver}://{places[name].partition('://')[2]}"
        return _parts(places[name]).get(part, match[0]) if part else places[name]

    return _ONE.sub(stands_for, value)


def fill_all(value: Any, places: Mapping[str, str]) -> Any:
    """Return a value of a table with the placeholders in it replaced, however deep."""
    if isinstance(value, Mapping):
        return {key: fill_all(entry, places) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [fill_all(entry, places) for entry in value]
    return fill(value, places) if isinstance(value, str) else value


def mentions(value: Any, names: Iterable[str]) -> bool:
    """Tell whether a placeholder with one of the names stands anywhere in a value."""
    wanted = set(names)
    return any(not escaped and name in wanted for text in _texts(value) for escaped, name, _, _ in _ONE.findall(text))


def check_placeholders(value: Any, where: str, databases: Iterable[str], services: Iterable[str]) -> None:
    """Refuse a placeholder that stands for nothing; `where` is the setting that holds `value`.

    Raises:
        ConfigError: with the nearest one that there is.
    """
    parts: dict[str, tuple[str, ...]] = dict.fromkeys(FOLDERS, ())
    parts |= {**dict.fromkeys(databases, DATABASE_PARTS), **dict.fromkeys(services, SERVICE_PARTS)}
    for text in _texts(value):
        for match in _ONE.finditer(text):
            escaped, name, part, driver = match.groups()
            has_driver = parts.get(name) == DATABASE_PARTS or not driver
            if not escaped and not (name in parts and (not part or part in parts[name]) and has_driver):
                raise ConfigError(_unknown(where, match[0], name, part or driver or "", parts))


def _unknown(where: str, shown: str, name: str, rest: str, parts: Mapping[str, tuple[str, ...]]) -> str:
    meant = shown[1:-1]
    known = [*parts, *(f"{name}.{part}" for part in parts.get(name, ()))] if rest else list(parts)
    return f"{where} has the placeholder {shown}{nearest(meant, known)}{_or_text(meant)}"


def _or_text(meant: str) -> str:
    return f" (for the literal text, write '\\{{{meant}}}')"


def _parts(place: str) -> dict[str, str]:
    """Return the parts of a URL, or of ``host:port``."""
    if "://" not in place:
        host, _, port = place.rpartition(":")
        return {"host": host, "port": port}
    url = urlsplit(place)
    return {
        "host": url.hostname or "",
        "port": str(url.port or ""),
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "database": unquote(url.path.removeprefix("/")),
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
