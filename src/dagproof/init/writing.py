"""The text of ``[tool.dagproof]`` for what was found, each line with the place where it was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dagproof.config import FILL_IN
from dagproof.histories.steps import count
from dagproof.init.found import EMPTY_JSON, Entry, Found
from dagproof.output.text import toml_key, toml_value, visible


def table_text(found: Found) -> str:
    """Return the tables, as text to append to ``pyproject.toml``."""
    files = count(len(found.dag_files), "DAG file")
    lines = [
        "# Written by dagproof init, which read the code and ran none of it. Correct what it got wrong.",
        "[tool.dagproof]",
        f"dags = {toml_value(found.dags)}  # {files}, such as {visible(found.dag_files[0])}",
    ]
    lines += [f"# dags = {toml_value(dags)}  # {count(n, 'DAG file')} here" for dags, n in found.others.items()]
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
        yield f"pythonpath = {toml_value(safe)}  # folders that the DAG files import from"
    for root, entry in roots.items():
        if not entry.active:
            yield f"# imports also lead into {visible(root)}, which is not added: {entry.note}"


def _schema(schema: Mapping[str, Entry]) -> Iterator[str]:
    if schema:
        yield "schema = ["
        for command, entry in schema.items():
            place = "" if entry.at == command else f"{visible(entry.at)}: "
            yield f"    {'' if entry.active else '# '}{toml_value(command)},  # {place}{entry.note}"
        yield "]"


def _hosts(hosts: Mapping[str, Entry]) -> Iterator[str]:
    if hosts:
        yield "# The code names these hosts, which no run reaches. Let a service stand in, or replace tasks:"
        for host, entry in sorted(hosts.items()):
            yield f"#   {host}  ({visible(entry.at)})"


def _line(name: str, entry: Entry) -> str:
    note = ": ".join(filter(None, (visible(entry.at), entry.note)))
    if entry.value in (FILL_IN, EMPTY_JSON):
        note += "; fill in a value" if entry.active else ""
    if entry.value is None:
        return f"# {visible(name)}  # {note}"
    return f"{'' if entry.active else '# '}{toml_key(name)} = {toml_value(entry.value)}  # {note}"
