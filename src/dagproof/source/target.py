"""Which Airflow the files are meant for."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata

from dagproof.errors import ConfigError

Version = tuple[int, int]
SUPPORTED: tuple[Version, ...] = ((3, 1), (3, 2), (3, 3))


def target(configured: str = "") -> Version:
    """Return the configured version; where there is none, the installed one, or the newest that is known.

    Raises:
        ConfigError: it is no version that the rules know.
    """
    if not configured:
        return _installed()
    found = _parsed(configured)
    if found not in SUPPORTED:
        known = ", ".join(shown(version) for version in SUPPORTED)
        raise ConfigError(f"tool.dagproof.airflow is {configured!r}; supported versions: {known}")
    return found


def shown(version: Version) -> str:
    """Return a version as it is written."""
    return f"{version[0]}.{version[1]}"


@cache
def _installed() -> Version:
    for name in ("apache-airflow-core", "apache-airflow"):
        try:
            found = _parsed(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
        if found in SUPPORTED:
            return found
    return SUPPORTED[-1]


def _parsed(text: str) -> Version | None:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None
