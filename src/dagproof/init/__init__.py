"""``dagproof init``: a commented ``[tool.dagproof]`` for a project, from its source alone."""

from __future__ import annotations

import shlex
from pathlib import Path

from dagproof.config import parse_config, read_toml, toml_of
from dagproof.errors import ConfigError, UsageError
from dagproof.histories.steps import count
from dagproof.init.found import Entry, Found
from dagproof.init.looking import look
from dagproof.init.writing import table_text
from dagproof.output.files import check_target, write_file
from dagproof.output.text import printable, say, visible

FILE = "pyproject.toml"
_PRINT = "print the table, to copy from, with dagproof init --stdout"


def init(root: Path, *, dags: str = "", stdout: bool = False) -> int:
    """Append a table to the ``pyproject.toml`` in `root`, or print it; return the exit status.

    Raises:
        UsageError: there is a table already, no DAG file, or the file cannot be written.
        ConfigError: the file is no TOML.
    """
    path = root / FILE
    old = b""
    if not stdout:
        check_target(path, "configuration")
        old = _read(path)
    found = look(root, dags)
    text = table_text(found)
    if stdout:
        say(printable(text.rstrip("\n")))
        return 0
    new = _appended(old, text)
    _check(new, path)
    write_file(path, new, "configuration")
    say(printable(_summary(found)))
    return 0


def _read(path: Path) -> bytes:
    """Return the file as it is, or say why nothing can be added to it."""
    if not path.exists():
        return b""
    tools = read_toml(path).get("tool", {})
    if isinstance(tools, dict) and "dagproof" in tools:
        raise UsageError(f"{FILE} has a [tool.dagproof] already, and init changes none; {_PRINT}")
    return path.read_bytes()


def _appended(old: bytes, text: str) -> bytes:
    """Return the file with the table at its end, in the file's own kind of line; what was there stays as it was."""
    newline = b"\r\n" if b"\r\n" in old else b"\n"
    gap = b"" if not old else newline if old.endswith(b"\n") else newline * 2
    return old + gap + text.encode().replace(b"\n", newline)


def _check(new: bytes, path: Path) -> None:
    """Refuse to write what could not be read again."""
    try:
        parse_config(toml_of(new.decode(), path)["tool"]["dagproof"], root=path.parent, source=path)
    except ConfigError as error:
        raise UsageError(f"a table at the end of {FILE} would not be valid ({error}); {_PRINT}") from None


def _summary(found: Found) -> str:
    files = count(len(found.dag_files), "DAG file")
    lines = [f"wrote [tool.dagproof] to {FILE}: {files} in {visible(found.dags)}"]
    tables = {
        "schema": found.schema,
        "paths": found.paths,
        "connections": found.connections,
        "variables": found.variables,
        "env": found.env,
    }
    for title, entries in tables.items():
        if entries:
            lines.append(f"  {title:<12} {_names(entries)}")
    if found.hosts:
        lines.append(f"  {'hosts':<12} {', '.join(sorted(found.hosts))}: no run reaches them, see the comments")
    lines += [f"not read: {visible(path)}: {visible(why)}" for path, why in found.unreadable.items()]
    if found.to_fill_in():
        lines.append(f"fill in: {', '.join(map(visible, found.to_fill_in()))}")
    dag_id = shlex.quote(found.dag_ids[0]) if found.dag_ids else "DAG_ID"
    lines.append(f"next: dagproof prove {visible(dag_id)}")
    return "\n".join(lines)


def _names(entries: dict[str, Entry]) -> str:
    done = [visible(name) for name, entry in sorted(entries.items()) if entry.active]
    left = [visible(name) for name, entry in sorted(entries.items()) if not entry.active]
    told = ", ".join(done)
    return "; ".join(filter(None, (told, f"as comments: {', '.join(left)}" if left else "")))
