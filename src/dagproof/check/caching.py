"""Remember what the source of files gave, so that an unchanged file need not be looked at again.

What was found holds for as long as the file has the same content, every name in it and in the helpers that it leads to
leads to the same file, and those have the same content. All of it is kept in one file for each combination of
version, configuration and folder, which is replaced in one step: of two runs at once the later one's is kept. One that
can't be read is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import dagproof
from dagproof.check.sourcing import Looked
from dagproof.loaded.model import Spot
from dagproof.rules import Finding, Rule
from dagproof.rules.base import SourceFile
from dagproof.source.project import Module, Project
from dagproof.source.strings import looked_for

PARSERS = ("sqlglot", "jinja2", "ruff")
KEPT = 8
"""Files that are kept in a cache folder: one for each combination that somebody uses."""


class Cache:
    """What was found in earlier runs.

    Args:
        folder: where it is kept.
        project: the files that are looked at now.
        rules: what is looked for.
    """

    def __init__(self, folder: Path, project: Project, rules: Collection[Rule]) -> None:
        self._project = project
        self._path = folder / f"check-{_key(project, rules)}.json"
        self._known = _read(self._path)
        self._hashes: dict[str, str | None] = {}
        self._changed = False

    def get(self, module: Module) -> Looked | None:
        """Return what is known of a file; None where something has changed since, or nothing is known."""
        try:
            entry = self._known.get(str(module.path))
            if entry is None or not self._holds(entry):
                return None
            looked = _looked(entry["looked"])
            for importer, name, package, found in entry["asked"]:
                key = (name, Path(package) if package else None)
                self._project.asked.setdefault(Path(importer), {})[key] = Path(found) if found else None
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return looked

    @contextmanager
    def watching(self) -> Iterator[set[Path]]:
        """Write down which files of other kinds are looked for meanwhile."""
        tried: set[Path] = set()
        token = looked_for.set(tried)
        try:
            yield tried
        finally:
            looked_for.reset(token)

    def put(self, module: Module, looked: Looked, tried: Collection[Path]) -> None:
        """Remember what a file gave."""
        files = self._project.reached(module.path)
        self._changed = True
        self._known[str(module.path)] = {
            "files": {str(path): self._hash(str(path)) for path in (*files, *tried)},
            "asked": [
                [str(path), name, package and str(package), found and str(found)]
                for path in files
                for (name, package), found in self._project.asked.get(path, {}).items()
            ],
            "looked": asdict(looked),
        }

    def save(self) -> None:
        """Keep it for the next run, where there is something new and it can be written."""
        if not self._changed:
            return
        known = {path: entry for path, entry in self._known.items() if self._hash(path) is not None}
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            (self._path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            part.write_text(json.dumps(known), encoding="utf-8")
            os.replace(part, self._path)
            kept = sorted(self._path.parent.glob("check-*.json"), key=lambda path: path.stat().st_mtime)
            for path in kept[:-KEPT]:
                path.unlink()

    def _holds(self, entry: dict[str, Any]) -> bool:
        if any(self._hash(path) != known for path, known in entry["files"].items()):
            return False
        for importer, name, package, expected in entry["asked"]:
            found = self._project.locate(name, Path(importer), Path(package) if package else None)
            if (str(found[0]) if found else None) != expected:
                return False
        return True

    def _hash(self, path: str) -> str | None:
        if path not in self._hashes:
            try:
                held = self._project.archived.get(Path(path))
                data = Path(path).read_bytes() if held is None else held
                self._hashes[path] = hashlib.sha256(data).hexdigest()
            except OSError:
                self._hashes[path] = None
        return self._hashes[path]


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _looked(data: dict[str, Any]) -> Looked:
    """Turn what was read back into what was looked at."""
    source = data["source"]
    named = {kind: tuple((name, Spot(**spot)) for name, spot in source[kind]) for kind in ("dags", "dormant")}
    return Looked(
        findings=tuple(map(_finding, data["findings"])),
        source=SourceFile(**{**source, **named}),
        is_dag_file=data["is_dag_file"],
        unreadable=data["unreadable"],
        comments=data["comments"],
        is_script=data["is_script"],
        unread=tuple((path, reason) for path, reason in data["unread"]),
        unfollowed=tuple((path, line, name) for path, line, name in data["unfollowed"]),
    )


def _finding(data: dict[str, Any]) -> Finding:
    remedy = data["remedy"] and Spot(**data["remedy"])
    via = tuple(Spot(**step) for step in data["via"])
    others = tuple((dag_id, task_id) for dag_id, task_id in data["others"])
    return Finding(**{**data, "spot": Spot(**data["spot"]), "via": via, "remedy": remedy, "others": others})


def _key(project: Project, rules: Collection[Rule]) -> str:
    """What the findings depend on beside the files."""
    told = [
        sys.version,
        dagproof.__version__,
        *(_version(name) for name in PARSERS),
        *_own_files(),
        *(f"{rule.name} {sorted(rule.chosen.items())}" for rule in rules),
        str(project.airflow),
        str(Path(sysconfig.get_paths()["purelib"]).stat().st_mtime_ns),  # what is installed decides what is gone
        str(project.base),
        *map(str, project.roots),
        *(f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith("AIRFLOW__")),
    ]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _own_files() -> list[str]:
    """When each of our own files was changed: somebody may be working on them."""
    folder = Path(dagproof.__file__).parent
    files = sorted((*folder.glob("source/*.py"), *folder.glob("rules/**/*.py")))
    return [f"{path.name} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in files]


def cache_folder(root: Path) -> Path:
    """Return where the cache of a project is kept: beside it, or in the user's own place for such."""
    if os.access(root, os.W_OK):
        return root / ".dagproof" / "cache"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "dagproof" / hashlib.sha256(str(root).encode()).hexdigest()[:16]
