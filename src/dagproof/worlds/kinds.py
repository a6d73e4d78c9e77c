"""Kinds of connections: which a world has something for, and what is said of one that it has nothing for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from dagproof.config import WorldConfig
from dagproof.config.placeholders import FOLDERS, fill_all, mentions
from dagproof.errors import ConfigError
from dagproof.inside.kinds import UNSUPPORTED, unsupported


def check_kinds(world: WorldConfig) -> None:
    """Refuse a connection of a kind that no world has anything for, unless it leads somewhere that is allowed.

    Raises:
        ConfigError: with the kind, what a world has, and each way out.
    """
    ours = [*world.all_databases, *world.services, *FOLDERS]
    for conn_id, value in world.connections.items():
        kind = _kind(value)
        if kind not in UNSUPPORTED or mentions(value, ours):
            continue
        text = json.dumps(fill_all(value, {}))
        if ".invalid" in text or any(entry.partition(":")[0] in text for entry in world.allow if entry[:1] != "/"):
            continue
        raise ConfigError(f"tool.dagproof.world.connections.{conn_id} {unsupported(kind)}")


def _kind(value: Any) -> str:
    """Return the kind of a connection: a table, JSON, or a URI."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, Mapping):
        return _plain(str(value.get("conn_type", "")))
    return next(_schemes(str(value)), "")


def _schemes(text: str) -> Iterator[str]:
    scheme, found, _ = text.partition("://")
    if found:
        yield _plain(scheme)


def _plain(kind: str) -> str:
    return kind.lower().replace("-", "_").partition("+")[0]
