"""Values of the configuration, each in the shape that its key wants, or the sentence that says what it is instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dagproof.errors import ConfigError

MOST = 1_000_000_000
"""The largest number that a setting may have; no time limit or size needs more."""
MOST_SHOWN = 200
KEY_READINGS = ("renamed", "stable")
"""How generated keys can be compared: up to other values, or by value."""


def as_table(value: object, where: str) -> Mapping[str, Any]:
    """Return a table, or say that it is none."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"[{where}] must be a table, not {shown(value)}")
    return value


def as_texts(values: object, where: str) -> object:
    """Return a table of Airflow's variables as the texts that Airflow keeps: what is no text becomes JSON."""
    if not isinstance(values, Mapping):
        return values  # whoever checks types says so
    for name, value in values.items():
        _refuse_nul(value, f"{where}.{name}")
    return {name: value if isinstance(value, str) else _as_json(value) for name, value in values.items()}


def _as_json(value: object) -> str:
    """Return JSON, with TOML's dates and times as texts."""
    return json.dumps(value, default=str, ensure_ascii=False)


def checked(value: object, expected: str, where: str) -> object:
    """Return `value` in the shape of the annotation `expected`, or say what was expected instead."""
    _refuse_nul(value, where)
    if expected == "str" and isinstance(value, str):
        return value
    if expected == "bool" and isinstance(value, bool):
        return value
    if expected == "str | Mapping[str, str]":
        return _generated_keys(value, where)
    if expected == "float" and isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST:
        return float(value)
    if expected == "tuple[str, ...]" and isinstance(value, str):
        return (value,)  # one entry, as people write it
    if expected == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    if expected == "Mapping[str, tuple[str, ...]]" and isinstance(value, Mapping):
        return {key: checked(entry, "tuple[str, ...]", f"{where}.{key}") for key, entry in value.items()}
    if expected == "Mapping[str, object]" and isinstance(value, Mapping):
        return json.loads(_as_json(value))
    if expected.startswith("Mapping") and isinstance(value, Mapping):
        tables = "Mapping[str, Any]" in expected
        bad = [k for k, v in value.items() if not isinstance(v, str) and not (tables and isinstance(v, Mapping))]
        if not bad:
            return dict(value)
        where, value = f"{where}.{bad[0]}", value[bad[0]]
        expected = "str or table" if tables else "str"
    wanted = {
        "str": "a string",
        "bool": "true or false",
        "str or table": "a string or a table",
        "float": f"a number above 0 and at most {MOST:,}",
        "tuple[str, ...]": "a list of strings",
    }.get(expected, "a table")
    raise ConfigError(f"{where} must be {wanted}, not {shown(value)}")


def _generated_keys(value: object, where: str) -> str | dict[str, str]:
    """Return how generated keys are compared: one word for all of them, or a word or a key by pattern."""
    named = value if isinstance(value, Mapping) else {"": value}
    for pattern, word in named.items():
        if word in KEY_READINGS or (pattern and isinstance(word, str) and word.count(".") in (1, 2)):
            continue
        at = f"{where}.{pattern}" if pattern else where
        key = ', or the key to which a column refers, such as "orders.id"' if pattern else ", or a table of patterns"
        raise ConfigError(f"{at} must be {' or '.join(map(repr, KEY_READINGS))}{key}, not {shown(word)}")
    return {str(pattern): str(word) for pattern, word in named.items()} if isinstance(value, Mapping) else str(value)


def _refuse_nul(value: object, where: str) -> None:
    """Refuse the one character that no environment, path or database can hold, wherever it stands."""
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{where} has a NUL character in it; remove it")
    if isinstance(value, list):
        for one in value:
            _refuse_nul(one, where)
    if isinstance(value, Mapping):
        for key, one in value.items():
            _refuse_nul(key, where)
            _refuse_nul(one, f"{where}.{key}")


def check_environment(world: Mapping[str, Any], where: str) -> None:
    """Refuse what cannot be the name of an environment variable: connections and variables become such, too."""
    for table in ("env", "variables", "connections"):
        names = world.get(table, {})
        for name in names if isinstance(names, Mapping) else ():  # another type is refused where types are
            if not name or "=" in name or "\0" in name:
                raise ConfigError(
                    f"{where}.{table} has the name {shown(name)}, which no environment can hold; write a name without "
                    "'=' and NUL"
                )


def shown(value: object) -> str:
    """Return a value for a message, not longer than a line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return "a value that is too long to print"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
