"""What the configuration fills a database with: SQL files, dumps, folders of migrations, and commands.

schema = ["sql/schema.sql", "tests/world/rows.dump", "migrations", "alembic upgrade head"]
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dagproof.config.placeholders import fill
from dagproof.errors import ConfigError
from dagproof.postgres.embedded import program
from dagproof.postgres.standins import way_out
from dagproof.postgres.wire import moved_sql
from dagproof.worlds.scripts import ScriptError, forward, is_archive, migrations, pieces, unpacked


@dataclass(frozen=True)
class Target:
    """A database to run SQL on."""

    conninfo: str
    moves_clock: bool = False
    """Whether the clock of SQL is moved: the defaults and functions that are made go by that."""
    is_embedded: bool = True


def apply_entry(
    target: Target, entry: str, root: Path, where: str, run: Callable[[list[str]], str], places: Mapping[str, str]
) -> None:
    """Apply an entry of `schema`, configured at `where`, to a database; `run` runs a command and returns its complaint.

    Raises:
        ConfigError: it is nothing that can be applied, or PostgreSQL or the command refuses.
    """
    path = root / entry
    if path.is_dir() and not (path / "toc.dat").is_file():
        found = migrations(path)
        if not found:
            raise ConfigError(
                f"{where}: {entry} has no .sql file; name a file, or write the command that fills the database, such "
                f"as 'alembic upgrade head'"
            )
        for file in found:
            _run_script(target, forward(_read(file, str(file.relative_to(root)), where)), file, root, where)
    elif _is_program(path):
        _run_command(shlex.quote(str(path)), entry, where, root, run, places)
    elif path.exists() or entry.endswith((".sql", ".dump")) or " " not in entry.strip():
        execute(target, path, entry, where, root=root)
    else:
        _run_command(entry, entry, where, root, run, places)


def execute(target: Target, path: Path, name: str, where: str, *, root: Path, **values: str) -> None:
    """Run the SQL file or dump `path` (called `name`, configured at `where`), ``{key}`` in it standing for a value.

    Raises:
        ConfigError: it cannot be read, or PostgreSQL refuses it.
    """
    script = _restored(path, name, where) if path.is_dir() else _read(path, name, where)
    if is_archive(script):
        script = _restored(path, name, where)
    for key, value in values.items():
        script = script.replace(f"{{{key}}}".encode(), value.encode())
    _run_script(target, script, path, root, where, name)


def _run_script(target: Target, script: bytes, path: Path, root: Path, where: str, name: str = "") -> None:
    import psycopg

    name = name or str(path.relative_to(root))
    try:
        with psycopg.connect(target.conninfo, autocommit=True) as connection:
            for piece in pieces(script, path.parent, root):
                if piece.data is None:
                    connection.execute(moved_sql(piece.sql) if target.moves_clock else piece.sql)
                else:
                    with connection.cursor().copy(piece.sql) as copy:
                        copy.write(piece.data)
    except OSError as error:
        raise ConfigError(
            f"{where}: {name} includes {error.filename}, which cannot be read ({error.strerror})"
        ) from error
    except ScriptError as error:
        raise ConfigError(f"{where}: {name} cannot be run: {error}") from None
    except psycopg.Error as error:
        first = str(error).strip().splitlines()[0]
        raise ConfigError(f"{where}: PostgreSQL refuses {name}: {first}{way_out(first, target.is_embedded)}") from error


def _read(path: Path, name: str, where: str) -> bytes:
    try:
        return unpacked(path.read_bytes())
    except (EOFError, zlib.error):
        raise ConfigError(f"{where}: cannot read {name} (it is truncated)") from None
    except OSError as error:
        raise ConfigError(f"{where}: cannot read {name} ({error.strerror or error})") from error


def _restored(path: Path, name: str, where: str) -> bytes:
    """Return a dump in one of pg_dump's own formats as an SQL script."""
    restore = program("pg_restore") or shutil.which("pg_restore")
    if restore is None:
        raise ConfigError(
            f"{where}: {name} is a dump that only pg_restore can read, which is not installed; install PostgreSQL's "
            "client programs, or dump with --format=plain"
        )
    command = [str(restore), "--no-owner", "--no-privileges", "-f", "-", str(path)]
    ended = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["it printed nothing"]
        raise ConfigError(f"{where}: pg_restore cannot read {name} ({said[-1]})")
    return ended.stdout


def _is_program(path: Path) -> bool:
    """Tell whether a file is a script that can be run."""
    if not (path.is_file() and os.access(path, os.X_OK)):
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _run_command(
    command: str, entry: str, where: str, root: Path, run: Callable[[list[str]], str], places: Mapping[str, str]
) -> None:
    try:
        words = [fill(word, places) for word in shlex.split(command)]
    except ValueError as error:
        raise ConfigError(f"{where} has {entry!r}, which is not a valid command ({error}); close the quote") from None
    places_of_it = (Path(sys.executable).parent / words[0], *([root / words[0]] if "/" in words[0] else []))
    if not (shutil.which(words[0]) or any(os.access(place, os.X_OK) for place in places_of_it)):
        raise ConfigError(
            f"{where} has {entry!r}, which is neither a file, nor a folder of migrations, nor a command whose program "
            f"is installed"
        )
    if complaint := run(words):
        raise ConfigError(f"{where}: `{entry}` {complaint}")
