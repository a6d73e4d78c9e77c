"""The text of ``[tool.dagproof]`` for what was found, each line with the place where it was found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from dagproof.config import FILL_IN
from dagproof.init.found import EMPTY_JSON, Entry, Found
from dagproof.output.text import visible

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def table_text(found: Found) -> str:
    """Return the tables, as text to append to ``pyproject.toml``."""
    lines = [
        "# Written by dagproof init, which read the code and ran none of it. Correct what it got wrong.",
        "[tool.dagproof]",
        f"dags = {_text(found.dags)}  # {_files(len(found.dag_files))}, such as {_shown(found.dag_files[0])}",
    ]
    lines += [f"# dags = {_text(folder)}  # {_files(number)} here" for folder, number in found.others.items()]
    lines += _roots(found.roots)
    world = [*_schema(found.schema), *_hosts(found.hosts)]
    if world:
        lines += ["", "[tool.dagproof.world]", *world]
    for name in ("paths", "connections", "variables", "env"):
        entries: Mapping[str, Entry] = getattr(found, name)
        if entries:
            lines += ["", f"[tool.dagproof.world.{name}]", *(_line(*one) for one in sorted(entries.items()))]
    return "\n".join(lines) + "\n"


def _roots(roots: Mapping[str, Entry]) -> Iterator[str]:
    safe = [".", *(root for root, entry in roots.items() if entry.active)]
    if safe[1:]:
        yield f"pythonpath = {json.dumps(safe, ensure_ascii=False)}  # folders that the DAG files import from"
    for root, entry in roots.items():
        if not entry.active:
            yield f"# imports also lead into {_shown(root)}, which is not added: {entry.note}"


def _schema(schema: Mapping[str, Entry]) -> Iterator[str]:
    if schema:
        yield "schema = ["
        for command, entry in schema.items():
            place = "" if entry.at == command else f"{_shown(entry.at)}: "
            yield f"    {'' if entry.active else '# '}{_text(command)},  # {place}{entry.note}"
        yield "]"


def _hosts(hosts: Mapping[str, Entry]) -> Iterator[str]:
    if hosts:
        yield "# The code names these hosts, which no run reaches. Let a service stand in, or replace tasks:"
        for host, entry in sorted(hosts.items()):
            yield f"#   {host}  ({_shown(entry.at)})"


def _line(name: str, entry: Entry) -> str:
    note = ": ".join(filter(None, (_shown(entry.at), entry.note)))
    if entry.value in (FILL_IN, EMPTY_JSON):
        note += "; fill in a value" if entry.active else ""
    if entry.value is None:
        return f"# {_shown(name)}  # {note}"
    return f"{'' if entry.active else '# '}{_key(name)} = {_text(entry.value)}  # {note}"


def _files(count: int) -> str:
    return f"{count} DAG file{'' if count == 1 else 's'}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shown(text: str) -> str:
    return visible(text)
