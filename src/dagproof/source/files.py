"""Which Python files a folder holds: each once, whatever links lead in circles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


def python_files(paths: list[Path]) -> list[Path]:
    """Return the Python files at and below some paths, sorted; hidden folders and virtual environments are left out."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in [path] if path.is_file() else sorted(_below(path)):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _below(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _is_skipped(Path(place, name))]
        yield from (Path(place, name) for name in files if name.endswith(".py") and Path(place, name).is_file())


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    return name in SKIPPED or name.startswith(".") or (folder / "pyvenv.cfg").exists()


def may_hold_dags(text: str) -> bool:
    """Say whether the DAG processor looks at a file: it must name both "dag" and "airflow" (its safe mode)."""
    lower = text.lower()
    return "dag" in lower and ("airflow" in lower or "asset" in lower)
