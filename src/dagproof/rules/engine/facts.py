"""What the source of one file tells that matters for the others: its DAG ids, its imports, its functions left alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from dagproof.loaded.model import Spot
from dagproof.rules.base import SourceFile
from dagproof.source import words
from dagproof.source.dagfile import DagFile, Place
from dagproof.source.indexing import never_runs
from dagproof.source.names import Names
from dagproof.source.scopes import Scope

BRANCHES = (ast.If, ast.Try, ast.For, ast.While)


def facts(dagfile: DagFile, *, skipped: bool) -> SourceFile:
    """Return what a file's source tells of it."""
    module = dagfile.module
    conditional = _conditional(module.tree) if dagfile.dags else set()
    dags = tuple(
        (dag.dag_id, _spot(dag.place))
        for dag in dagfile.dags
        if dag.dag_id and not dag.chain and dag.scope.module is module and dag.node not in conditional
    )
    return SourceFile(module.shown, dags, tuple(_dormant(dagfile)), skipped=skipped)


def _conditional(tree: ast.Module) -> set[ast.AST]:
    """Everything inside of branches at the top level: it may not happen."""
    branches = (statement for statement in tree.body if isinstance(statement, BRANCHES))
    return {node for branch in branches for node in ast.walk(branch)}


def _dormant(dagfile: DagFile) -> Iterator[tuple[str, Spot]]:
    module = dagfile.module
    functions = [one for one in module.scope.children if one.kind == "function" and _makes_dag(one, dagfile)]
    spoken_of = _words(module.tree) if functions else set()
    for function in functions:
        if function.name not in spoken_of:
            yield function.name, _spot(Place(module, function.node))


def _makes_dag(function: Scope, dagfile: DagFile) -> bool:
    home = function.parent or function
    decorators: list[Names] = [dagfile.resolver.names(node, home) for node in function.decorators]
    if any(words.is_dag_decorator(names) for names in decorators):
        return True
    if decorators or dagfile.dags or "DAG" not in dagfile.module.text:
        return False
    return any(words.is_dag_class(dagfile.resolver.names(call.func, scope)) for call, scope in function.calls)


def _words(tree: ast.Module) -> set[str]:
    """Every name that is read in a file, and every text, which may stand in ``__all__`` or ``globals()``."""
    found = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and never_runs(node.test):
            waiting += node.orelse  # what only a script runs, Airflow never sees
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def _spot(place: Place) -> Spot:
    if isinstance(place.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return replace(place.spot, end_line=place.line)
    return place.spot
