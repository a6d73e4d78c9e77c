"""Look at a project without running it: where its DAGs are, what they import, and what they ask for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagproof.check.checking import find_files
from dagproof.errors import UsageError
from dagproof.init.asking import Asking, scopes_in
from dagproof.init.found import Entry, Found
from dagproof.init.schema import schema_of
from dagproof.output.text import visible
from dagproof.source.dagfile import DagFile
from dagproof.source.files import may_hold_dags, python_files
from dagproof.source.names import Resolver
from dagproof.source.project import Module, Project, readable_scope, text_of_module
from dagproof.source.reading import UnreadableError, without_collecting

OF_OTHERS = frozenset({"tests", "test", "docs", "examples"})
"""Folders whose DAG files are not those that a deployment runs."""

_POSTGRES = re.compile(r"postgres|psycopg|asyncpg|\bPG[A-Z]{4}|\bpg_", re.IGNORECASE)


def look(root: Path, dags: str = "") -> Found:
    """Return what the project in the folder `root` has; `dags` is its DAG folder where the user names it.

    Raises:
        UsageError: there is no DAG file.
    """
    root = root.resolve()
    with without_collecting():
        found = Found()
        folder = _named(root, dags) if dags else _dag_folder(root, found)
        found.dags = _relative(folder, root)
        project = find_files([folder], base=root, roots=[folder, root]).project
        _look(folder, project, found)
        found.schema = schema_of(root)
    return found


def _named(root: Path, dags: str) -> Path:
    folder = (root / dags).resolve()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {visible(dags)}; name the folder with your DAG files: --dags DIR")
    return folder


def _dag_folder(root: Path, found: Found) -> Path:
    """Return the folder with most DAG files; the others are noted."""
    walk = python_files([root])
    project = Project([root], root, archived=walk.archived)
    resolver = Resolver(project)
    files = [path for path in walk.files if path not in walk.archived and _makes_dags(project.module(path), resolver)]
    own = [path for path in files if not OF_OTHERS & set(path.relative_to(root).parts[:-1])] or files
    if not own:
        raise UsageError(
            f"no file in {visible(str(root))} makes a DAG; run dagproof init in the folder of your project, or name "
            "the folder with your DAG files: --dags DIR"
        )
    groups: dict[Path, list[Path]] = {}
    loose: list[Path] = []
    for path in own:
        around = [one for one in path.parents if one.is_relative_to(root) and one.name in ("dags", "dag")]
        (groups.setdefault(around[-1], []) if around else loose).append(path)
    if loose:
        groups.setdefault(Path(os.path.commonpath([path.parent for path in loose])), []).extend(loose)
    ranked = sorted(groups, key=lambda one: (-len(groups[one]), str(one)))
    found.others = {_relative(one, root): len(groups[one]) for one in ranked[1:]}
    return ranked[0].resolve()


def _makes_dags(module: Module, resolver: Resolver) -> bool:
    text = text_of_module(module)
    if not may_hold_dags(text):
        return False
    try:
        return bool(DagFile(module, resolver).dags)
    except (UnreadableError, RecursionError):
        return False


def _look(folder: Path, project: Project, found: Found) -> None:
    resolver = Resolver(project)
    asking = Asking(resolver, found)
    walk = python_files([folder], top=folder)
    started = []
    for path in walk.files:
        module = project.module(path)
        if _makes_dags(module, resolver):
            dagfile = DagFile(module, resolver)
            started.append(module)
            found.dag_files.append(module.shown)
            found.dag_ids += [dag.dag_id for dag in dagfile.dags if dag.dag_id and dag.dag_id not in found.dag_ids]
        elif may_hold_dags(text_of_module(module)) and module.failure:
            found.unreadable[module.shown] = module.failure
    if not started:
        raise UsageError(
            f"no file in {visible(found.dags)} makes a DAG; name the folder with your DAG files: --dags DIR"
        )
    modules = list(_reached(started, project))
    asking.speaks_postgres = any(_POSTGRES.search(text) for text in map(text_of_module, modules))
    for module in modules:
        asking.of_module(module)
    for path in walk.sql:
        asking.of_template(path, project.show(path.resolve()))
    _note_roots(folder, project, modules, found)


def _reached(started: Sequence[Module], project: Project) -> Iterator[Module]:
    """Yield modules and all of the project's own that they import, each once."""
    waiting, seen = list(started), set(started)
    while waiting:
        module = waiting.pop(0)
        scope = readable_scope(module)
        if scope is None:
            continue
        yield module
        for one in scopes_in(scope):
            for made in one.imports:
                led = project.find(made.target, module) if made.target else None
                if led and led[0] not in seen:
                    seen.add(led[0])
                    waiting.append(led[0])


def _note_roots(folder: Path, project: Project, modules: Sequence[Module], found: Found) -> None:
    """Note the folders that imports were followed from, beside the DAG folder and the project's own."""
    safe = {_relative(root, project.base) for root in project.safe_roots()}
    for shown in project.shown_roots():
        found.roots[shown] = (
            Entry(shown, "imports of the DAG files")
            if shown in safe
            else Entry(shown, "imports of the DAG files", "it hides modules of others on Python's path", active=False)
        )
    plugins = folder.parent / "plugins"
    if any(module.path.is_relative_to(plugins) for module in modules):
        found.roots[_relative(plugins, project.base)] = Entry("", "Airflow puts plugins on Python's path")


def _relative(folder: Path, root: Path) -> str:
    return os.path.relpath(folder, root).replace(os.sep, "/")
