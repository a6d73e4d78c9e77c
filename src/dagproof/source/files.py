"""Which Python files a folder holds: each once, whatever links lead in circles, but for those that Airflow ignores."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dagproof.source.ignoring import IGNORE_FILE, Ignored
from dagproof.source.notebooks import SUFFIX

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
READ = (".py", ".zip", ".sql", SUFFIX)
OF_DBT = frozenset({"target", "dbt_packages", "dbt_modules"})
"""Folders in which dbt keeps what it makes, and packages."""
MOST_IN_ARCHIVE = 20_000_000


@dataclass
class Walk:
    """What was found: the files in the order of their names, and what could not be looked into, with the reason."""

    files: list[Path] = field(default_factory=list)
    archived: dict[Path, bytes] = field(default_factory=dict)
    """The content of files in archives; each is told as if its archive were a folder."""
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    sql: list[Path] = field(default_factory=list)
    """Files of SQL."""
    notebooks: list[Path] = field(default_factory=list)

    @property
    def all(self) -> list[Path]:
        """Every file."""
        return [*self.files, *self.sql, *self.notebooks]


def python_files(paths: list[Path], *, syntax: str = "glob", top: Path | None = None) -> Walk:
    """Return the Python files at and below some paths; hidden folders and virtual environments are left out.

    Args:
        paths: files and folders; a file that is named is looked at, whatever ignores it.
        syntax: of the files `.airflowignore`: ``glob`` or ``regexp``.
        top: the DAG folder: what it ignores holds for the folders in it.
    """
    walk = Walk()
    seen: set[Path] = set()
    for path in paths:
        for file in [path] if path.is_file() else _below(path, walk, syntax, top):
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                _add(file, walk)
    return walk


def _add(file: Path, walk: Walk) -> None:
    if file.suffix in (".sql", SUFFIX):
        (walk.sql if file.suffix == ".sql" else walk.notebooks).append(file)
        return
    if file.suffix != ".zip":
        walk.files.append(file)
        return
    try:
        with zipfile.ZipFile(file) as archive:
            for one in archive.infolist():
                if "/" not in one.filename and one.filename.endswith(".py") and one.file_size <= MOST_IN_ARCHIVE:
                    inside = file.resolve() / one.filename
                    walk.archived[inside] = archive.read(one)
                    walk.files.append(inside)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        walk.unreadable.append((file, f"the archive cannot be read: {error}"))


def _below(folder: Path, walk: Walk, syntax: str, top: Path | None) -> Iterator[Path]:
    seen: set[str] = set()
    ignored = Ignored(folder, syntax, top)

    def unreadable(error: OSError) -> None:
        walk.unreadable.append((Path(error.filename or folder), f"it cannot be read: {error.strerror or error}"))

    for place, folders, files in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        if IGNORE_FILE in files:
            ignored.read(Path(place))
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(place, name)))
        folders[:] = [name for name in folders if not ignored.has(Path(place, name), is_folder=True)]
        for name in sorted(files):
            path = Path(place, name)
            if (
                name.endswith((".py", ".zip", ".sql", SUFFIX))
                and path.is_file()
                and not ignored.has(path, is_folder=False)
            ):
                yield path


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    if name in SKIPPED or name.startswith(".") or (folder / "pyvenv.cfg").exists():
        return True
    return name in OF_DBT and (folder.parent / "dbt_project.yml").exists()


def may_hold_dags(text: str) -> bool:
    """Say whether the DAG processor looks at a file: it must speak of Airflow, and of DAGs or assets."""
    lower = text.lower()
    return "airflow" in lower and ("dag" in lower or "asset" in lower)
