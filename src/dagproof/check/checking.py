"""Run rules over the files of a DAG folder: over their source, and over what importing them gave."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from dagproof.check import severity
from dagproof.check.beside import Beside, look_beside, sure_of_scripts
from dagproof.check.caching import Cache
from dagproof.check.grouping import DagsOf, Group, grouped
from dagproof.check.merging import merged
from dagproof.check.sourcing import Looked, look_at
from dagproof.check.suppressions import Suppressions, without_duplicates
from dagproof.errors import UsageError
from dagproof.loaded.model import LoadedFolder
from dagproof.rules import Finding, Rule
from dagproof.rules.base import SourceFile
from dagproof.source.files import Walk, python_files
from dagproof.source.names import Resolver
from dagproof.source.project import Project, text_of_module
from dagproof.source.reading import without_collecting
from dagproof.source.scripts import is_spark
from dagproof.source.target import Version

MOST_NESTED = 5_000
IMPORT = re.compile(
    r"^[ \t]*(?:from\s+\S+\s+import\s*\([^)]*\)|(?:from|import)\b[^\n]*)|import_module\([^)]*\)", re.MULTILINE
)
NOTHING, FOUND, CANNOT_TELL = 0, 1, 2
RulesFor: TypeAlias = Callable[[str], Collection[Rule]]


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be looked at, and why."""

    path: str
    reason: str
    needed_by: tuple[str, ...] = ()
    """The DAG files that depend on it: what it gives them is not known."""

    @property
    def told(self) -> str:
        """The reason, and what depends on it."""
        if not self.needed_by:
            return self.reason
        return f"{self.reason}; {listed(self.needed_by, 'DAG file')} {'need' if self.needed_by[1:] else 'needs'} it"

    def to_json(self) -> dict[str, Any]:
        """Return it as in the JSON that ``dagproof check`` prints."""
        needed = {"needed_by": list(self.needed_by)} if self.needed_by else {}
        return {"path": self.path, "reason": self.reason, **needed}


@dataclass(frozen=True)
class Checked:
    """What was found in how many files."""

    findings: tuple[Finding, ...]
    files: int
    unreadable: tuple[Unreadable, ...]
    texts: dict[str, str] = field(default_factory=dict)
    """The text of files in archives."""
    dag_files: tuple[str, ...] = ()
    """The files that Airflow looks at."""
    known: int = 0
    """How many findings more the baseline knows already."""
    dags: DagsOf = field(default_factory=dict)
    """The ids of the DAGs that each file makes."""
    roots: tuple[str, ...] = ()
    """The folders that imports were followed from."""
    unfollowed: tuple[tuple[str, int, str], ...] = ()
    """Imports of the project's own modules that lead nowhere: path, line, and what is imported."""
    beside: Beside = field(default_factory=Beside)
    """What was read beside DAG files and the modules that they import."""

    @property
    def groups(self) -> list[Group]:
        """What was found, by cause."""
        return grouped(self.findings, self.dags)

    @property
    def exit_status(self) -> int:
        """0: nothing found. 1: something certain was found. 2: nothing was, and some file could not be looked at."""
        if any(finding.fails for finding in self.findings):
            return FOUND
        return CANNOT_TELL if self.unreadable else NOTHING

    def to_json(self) -> dict[str, Any]:
        """Return it as in the JSON that ``dagproof check`` prints."""
        return {
            "findings": [group.to_json() for group in self.groups],
            "files": self.files,
            "unreadable": [one.to_json() for one in self.unreadable],
            "roots": list(self.roots),
            "beside": dict(self.beside.counts),
            "unfollowed": [{"path": path, "line": line, "module": name} for path, line, name in self.unfollowed],
        }


def listed(names: Sequence[str], noun: str, most: int = 3) -> str:
    """Return some names in a sentence, with how many there are beside."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more {noun}{'' if len(names) - most == 1 else 's'}"


@dataclass
class Files:
    """The files of one check: found, and told as people see them."""

    walk: Walk
    project: Project

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.walk.files)

    @property
    def converted(self) -> list[Path]:
        """Those whose text, as it is looked at, is not what is at their path: in archives, and notebooks."""
        return [*self.walk.archived, *self.walk.notebooks]

    def text(self, shown: str) -> str:
        """Return the text of one of them; nothing where it can't be read."""
        return self.text_at(self.project.base / shown)

    def text_at(self, path: Path) -> str:
        """Return the text of the file at a path; nothing where it can't be read."""
        return text_of_module(self.project.module(path))

    def line(self, shown: str, number: int) -> str:
        """Return a line of one of them; nothing where there is none."""
        lines = self.text(shown).split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""


Load: TypeAlias = Callable[[Files, dict[str, Looked]], LoadedFolder]
"""Imports the files, given what their source told."""


def find_files(
    paths: Sequence[Path],
    *,
    base: Path,
    roots: Sequence[Path] = (),
    syntax: str = "glob",
    top: Path | None = None,
    airflow: Version | None = None,
) -> Files:
    """Find the Python files at and below some paths.

    Args:
        paths: files and folders.
        base: the folder that paths are told relative to.
        roots: folders that the files import from, beside `paths` themselves.
        syntax: of ``.airflowignore``: ``glob`` or ``regexp``.
        top: the DAG folder.
        airflow: the version of Airflow that the files are meant for; by default the installed one.

    Raises:
        UsageError: a path does not exist, or no path holds a Python file.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist; name a DAG file or a folder of them")
    walk = python_files(list(paths), syntax=syntax, top=top)
    if not (walk.files or walk.sql or walk.notebooks or walk.unreadable):
        shown = ", ".join(map(str, paths))
        raise UsageError(f"there is no Python file in {shown}; name a DAG file or a folder of them")
    folders = [path if path.is_dir() else path.parent for path in paths]
    plugins = [folder.parent / "plugins" for folder in folders]
    return Files(walk, Project([*folders, *roots, *plugins], base, airflow, walk.archived))


def check(
    paths: Sequence[Path],
    rules: Collection[Rule],
    *,
    base: Path,
    roots: Sequence[Path] = (),
    airflow: Version | None = None,
    load: Load | None = None,
) -> Checked:
    """Look at the Python files at and below `paths`; run none of them, unless `load` is there to do it.

    Raises:
        UsageError: a path does not exist, or no path holds a Python file.
    """
    return check_files(find_files(paths, base=base, roots=roots, airflow=airflow), rules, load=load)


def check_files(
    files: Files,
    rules: Collection[Rule],
    *,
    load: Load | None = None,
    cache: Cache | None = None,
    rules_for: RulesFor | None = None,
    others: bool = True,
) -> Checked:
    """Look at files that were found.

    Args:
        files: the files.
        rules: what to look for.
        load: imports the files; None to look at the source only.
        cache: what was found in earlier runs.
        rules_for: which of the rules hold for a path; all of them by default.
        others: whether to read what lies beside DAG files, too.
    """
    looked = _look_at_all(files, rules, cache, others=others)
    folder = load(files, looked) if load else None
    sources = _sources(files, looked)
    found = dict(sure_of_scripts(looked, files.project, others=others))
    beside = look_beside(files.walk, files.project, looked, rules) if others else Beside()
    _add(found, beside.findings)
    if folder is None:
        _add(found, (finding for rule in rules for finding in rule.check_sources(sources)))
    else:
        _add_loaded(found, folder, sources, rules)
    left = _left(files, looked, found, rules_for or (lambda path: rules), folder)
    findings = list(severity.applied(left, rules))
    return Checked(
        tuple(findings),
        files.count,
        _unreadable(files, looked, findings),
        {files.project.show(path.resolve()): files.text_at(path) for path in files.converted},
        tuple(path for path, one in looked.items() if one.is_dag_file),
        dags=_dags(sources, folder),
        roots=files.project.shown_roots(),
        beside=beside,
        unfollowed=tuple(dict.fromkeys(one for each in looked.values() for one in each.unfollowed)),
    )


def _left(
    files: Files,
    looked: dict[str, Looked],
    found: dict[str, list[Finding]],
    rules_for: RulesFor,
    folder: LoadedFolder | None,
) -> list[Finding]:
    """What no comment allows, once each, and what is wrong with the comments."""
    comments = Suppressions(files.text)
    left: dict[str, list[Finding]] = {}
    for path, in_file in found.items():
        names = {rule.name for rule in rules_for(path)}
        wanted = [finding for finding in in_file if finding.rule in names]
        left[path] = [finding for finding in without_duplicates(wanted) if not comments.allow(finding)]
    for path, one in looked.items():
        if one.comments:
            wanted_rules = rules_for(path)
            blind = _blind(path, wanted_rules, folder)
            left[path] += comments.judge(path, wanted_rules, blind=blind, is_shared=not one.is_dag_file)
    return [finding for in_file in left.values() for finding in in_file]


def _dags(sources: list[SourceFile], folder: LoadedFolder | None) -> dict[str, tuple[str, ...]]:
    """The ids of the DAGs of each file, as far as they are known."""
    found = {source.path: tuple(dag_id for dag_id, _ in source.dags) for source in sources}
    if folder:
        found |= {path: tuple(dag.dag_id for dag in file.dags) for path, file in folder.files.items() if file.dags}
    return found


def _look_at_all(files: Files, rules: Collection[Rule], cache: Cache | None, *, others: bool) -> dict[str, Looked]:
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MOST_NESTED))
    resolver = Resolver(files.project)
    notebooks = [path for path in files.walk.notebooks if is_spark(files.text_at(path))] if others else []
    modules = [files.project.module(path) for path in (*files.walk.files, *notebooks)]
    known = {module: one for module in modules if cache and (one := cache.get(module))}
    files.project.files = [module.path for module in modules if module not in known and module.path.is_file()]
    looked = {}
    with without_collecting():  # between two files, too: each time it is let go, it has all of them to look at
        for module in modules:
            one = known.get(module)
            if one is None and cache:
                with cache.watching() as tried:
                    one = look_at(module, resolver, rules)
                cache.put(module, one, tried)
            looked[module.shown] = one or look_at(module, resolver, rules)
    if cache:
        cache.save()
    return looked


def _sources(files: Files, looked: dict[str, Looked]) -> list[SourceFile]:
    """What the files tell of each other: whether one is imported matters just where its own code leaves it open."""
    sources = [one.source for one in looked.values()]
    stems = {source.path: _stem(source.path) for source in sources if source.dormant or source.skipped}
    importers: dict[str, set[str]] = {stem: set() for stem in stems.values()}
    for path in looked if stems else ():
        text = files.text(path)
        if any(stem in text for stem in importers):
            words = set(re.split(r"\W+", " ".join(IMPORT.findall(text))))
            for stem in words & set(importers):
                importers[stem].add(path)
    return [
        replace(source, imported=bool(importers[stems[source.path]] - {source.path}))
        if source.path in stems
        else source
        for source in sources
    ]


def _stem(path: str) -> str:
    """The last part of the name that a file is imported by."""
    parts = Path(path).with_suffix("").parts
    return parts[-2 if parts[-1] == "__init__" and len(parts) > 1 else -1]


def _add(found: dict[str, list[Finding]], more: Any) -> None:
    for finding in more:
        found.setdefault(finding.path, []).append(finding)


def _add_loaded(
    found: dict[str, list[Finding]], folder: LoadedFolder, sources: list[SourceFile], rules: Collection[Rule]
) -> None:
    """Correct and complete what was found in the source by what importing gave."""
    for file in folder.files.values():
        told = {file.path: found.get(file.path, [])}
        if file.path.endswith(".zip"):
            told = {path: in_file for path, in_file in found.items() if path.startswith(f"{file.path}/")}
        source = [finding for in_file in told.values() for finding in in_file]
        for path in told:
            found[path] = []
        _add(found, merged(source, file, rules))
    for rule in rules:
        _add(found, rule.check_folder(folder, sources))


def _blind(path: str, rules: Collection[Rule], folder: LoadedFolder | None) -> set[str]:
    """The rules that could not fully look at a file: nothing can be said of what they would have found."""
    archive = path.rpartition("/")[0]
    file = folder.files.get(path) or folder.files.get(archive) if folder else None
    if file is not None and file.error is None:
        return set()
    return {rule.name for rule in rules if rule.needs_import or rule.looks_at_loaded()}


def _unreadable(files: Files, looked: dict[str, Looked], findings: list[Finding]) -> tuple[Unreadable, ...]:
    """What could not be looked at, and what needs it; a file of which import-error tells the same is told once."""
    told = {finding.path for finding in findings if finding.rule == "import-error"}
    found = {files.project.show(path.resolve()): why for path, why in files.walk.unreadable}
    found |= {path: one.unreadable for path, one in looked.items() if one.unreadable and path not in told}
    needed: dict[str, list[str]] = {}
    for path, one in looked.items():
        for other, reason in one.unread:
            if other not in told:
                found.setdefault(other, reason)
            needed.setdefault(other, []).append(path)
    return tuple(Unreadable(path, reason, tuple(needed.get(path, ()))) for path, reason in found.items())
