"""Run rules over the files of a DAG folder."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagproof.errors import UsageError
from dagproof.rules import Finding, Rule
from dagproof.rules.engine.suppressions import apply, without_duplicates
from dagproof.source.dagfile import DagFile
from dagproof.source.files import may_hold_dags, python_files
from dagproof.source.names import Resolver
from dagproof.source.project import Module, Project
from dagproof.source.reading import UnreadableError, parse
from dagproof.source.target import Version

MOST_NESTED = 5_000
NOTHING, FOUND, CANNOT_TELL = 0, 1, 2


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be looked at, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """What was found in how many files."""

    findings: tuple[Finding, ...]
    files: int
    unreadable: tuple[Unreadable, ...]

    @property
    def exit_status(self) -> int:
        """0: nothing found. 1: something certain was found. 2: nothing was, and some file could not be looked at."""
        if any(finding.certain for finding in self.findings):
            return FOUND
        return CANNOT_TELL if self.unreadable else NOTHING

    def to_json(self) -> dict[str, Any]:
        """Return it as in the JSON that ``dagproof check`` prints."""
        return {
            "findings": [finding.to_json() for finding in self.findings],
            "files": self.files,
            "unreadable": [{"path": one.path, "reason": one.reason} for one in self.unreadable],
        }


def check(
    paths: Sequence[Path],
    rules: Collection[Rule],
    *,
    base: Path,
    roots: Sequence[Path] = (),
    airflow: Version | None = None,
) -> Checked:
    """Look at the Python files at and below `paths`, without running any of them.

    Args:
        paths: files and folders.
        rules: what to look for.
        base: the folder that paths are told relative to.
        roots: folders that the files import from, beside `paths` themselves.
        airflow: the version of Airflow that the files are meant for; by default the installed one.

    Raises:
        UsageError: a path does not exist, or no path holds a Python file.
    """
    files = _files(paths)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MOST_NESTED))
    folders = [path if path.is_dir() else path.parent for path in paths]
    project = Project([*folders, *roots, *(f.parent / "plugins" for f in folders)], base, airflow)
    project.files = files
    resolver = Resolver(project)
    findings: list[Finding] = []
    unreadable: list[Unreadable] = []
    for file in files:
        module = project.module(file)
        try:
            findings += _check_module(module, resolver, rules)
        except UnreadableError as error:
            unreadable.append(Unreadable(module.shown, str(error)))
    return Checked(tuple(findings), len(files), tuple(unreadable))


def _check_module(module: Module, resolver: Resolver, rules: Collection[Rule]) -> list[Finding]:
    if not may_hold_dags(module.text):
        parse(module.text)
        return []
    try:
        dagfile = DagFile(module, resolver)
        found = [finding for rule in rules for finding in rule.check(dagfile)] if dagfile.dags else []
    except RecursionError as error:
        raise UnreadableError("its code is nested too deeply to be looked at") from error
    return apply(without_duplicates(found), module.text, module.shown, rules)


def _files(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist; name a DAG file or a folder of them")
    files = python_files(list(paths))
    if not files:
        shown = ", ".join(map(str, paths))
        raise UsageError(f"there is no Python file in {shown}; name a DAG file or a folder of them")
    return files
