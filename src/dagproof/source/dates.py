"""Where tasks take the run's date, which runs that assets start don't have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from dagproof.source import templates
from dagproof.source.binding import bound
from dagproof.source.dagfile import Body, Chain, Dag, DagFile, Place, Task
from dagproof.source.names import Resolver, visible
from dagproof.source.readings import NOT_WORK, template_folders
from dagproof.source.strings import file_text, texts
from dagproof.source.values import Value, dictionary, followed

DATES = frozenset(
    (
        "ds",
        "ds_nodash",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "logical_date",
        "data_interval_start",
        "data_interval_end",
    )
)
_ASSETS = re.compile(
    r"airflow\.(?:\w+\.)*(?:Asset|Dataset|AssetAlias|DatasetAlias|AssetAll|AssetAny|DatasetAll|DatasetAny)\(\)$"
)
_ASKS = re.compile(r"\bdefault\s*\(|\bis\s+(?:not\s+)?defined\b|\{%-?\s*if\b|\bor\b|\bif\b")


class Use(NamedTuple):
    """A date that a task takes: its name, where, and in which way: ``template``, ``parameter`` or ``context``."""

    name: str
    places: Chain
    kind: str
    is_sure: bool = True


def has_no_date(dag: Dag | None, resolver: Resolver) -> bool:
    """Say whether the runs of a DAG surely have no date: only assets start them."""
    given = dag.arguments.known.get("schedule") if dag else None
    return given is not None and all(_is_asset(one, resolver) for one in followed(given, resolver))


def _is_asset(value: Value, resolver: Resolver) -> bool:
    node, scope = value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = [one for item in node.elts for one in followed(Value(item, scope), resolver)]
        return bool(parts) and all(_is_asset(one, resolver) for one in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd):
        sides = [one for side in (node.left, node.right) for one in followed(Value(side, scope), resolver)]
        return all(_is_asset(one, resolver) for one in sides)
    return isinstance(node, ast.Call) and any(_ASSETS.match(name) for name in resolver.names(node, scope))


def uses_of_dates(dagfile: DagFile, task: Task) -> Iterator[Use]:
    """Yield where a task takes a date of its run."""
    yield from _in_templates(dagfile, task)
    yield from _in_parameters(dagfile, task)
    for body in dagfile.reached_by(task):
        yield from _in_context(body, dagfile)


def _in_templates(dagfile: DagFile, task: Task) -> Iterator[Use]:
    resolver = bound(dagfile, task)
    macros = task.dag.arguments.known.get("user_defined_macros") if task.dag else None
    ours = dictionary(macros, resolver).known if macros else {}
    for call, scope in task.calls:
        for argument in [*call.args, *(one.value for one in call.keywords if one.arg not in NOT_WORK)]:
            for text in texts(Value(argument, scope), resolver):
                found = file_text(text, template_folders(dagfile, task), (".sql", ".hql", ".sh", ".bash"))
                content = found[1] if found else text.text
                for variable in templates.variables(content):
                    if variable.name in DATES and variable.name not in ours:
                        yield Use(variable.name, (*task.chain, text.place), "template", not _ASKS.search(content))


def _in_parameters(dagfile: DagFile, task: Task) -> Iterator[Use]:
    op_kwargs = task.arguments.known.get("op_kwargs")
    by_dag = dictionary(op_kwargs, dagfile.resolver) if op_kwargs else None
    if (by_dag and by_dag.open) or task.arguments.known.get("op_args"):
        return
    for entry, chain in task.entries:
        arguments = getattr(entry.node, "args", None)
        if not isinstance(arguments, ast.arguments) or (task.names[:1] and task.names[0].startswith("<")):
            continue
        given = {one.arg for call, _ in task.calls for one in call.keywords} | set(by_dag.known if by_dag else ())
        positions = max((len(call.args) for call, _ in task.calls), default=0) if task.function is entry else 0
        names = [*arguments.posonlyargs, *arguments.args]
        for argument in [*names[positions:], *arguments.kwonlyargs]:
            is_read = any(node.id == argument.arg for node, _ in entry.loads)
            if argument.arg in DATES and argument.arg not in given and None not in given and is_read:
                yield Use(
                    argument.arg,
                    (*chain, Place(entry.module, argument)),
                    "parameter",
                    not _is_asked(entry.node, argument),
                )


def _is_asked(function: ast.AST, argument: ast.arg) -> bool:
    """Whether a function asks whether it has got a date."""
    for node in ast.walk(function):
        tests = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert) else []
        tests += node.values[:-1] if isinstance(node, ast.BoolOp) else []
        if any(isinstance(part, ast.Name) and part.id == argument.arg for test in tests for part in ast.walk(test)):
            return True
    return False


def _in_context(body: Body, dagfile: DagFile) -> Iterator[Use]:
    """``context["ds"]``, of what Airflow passes or gives."""
    if body.scope.kind not in ("function", "lambda"):
        return
    for node in body.scope.nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if key in DATES and _is_context(node.value, body, dagfile):
                yield Use(str(key), (*body.chain, Place(body.scope.module, node)), "context")


def _is_context(node: ast.expr, body: Body, dagfile: DagFile) -> bool:
    names = dagfile.resolver.names(node, body.scope)
    if any(name.startswith("airflow.") and name.endswith("get_current_context()") for name in names):
        return True
    arguments = getattr(body.scope.node, "args", None)
    bindings = visible(node, body.scope) if isinstance(node, ast.Name) else []
    if not isinstance(arguments, ast.arguments) or len(bindings) != 1:
        return False
    is_entry = body.task is not None and any(entry is body.scope for entry, _ in body.task.entries)
    is_named = isinstance(node, ast.Name) and node.id == "context" and isinstance(bindings[0].node, ast.arg)
    return is_entry and (bindings[0].node is arguments.kwarg or is_named)
