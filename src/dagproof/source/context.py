"""Where tasks and templates ask the context for what Airflow 3 does not give any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.source import templates
from dagproof.source.dagfile import Body, DagFile, Place, Task
from dagproof.source.names import visible
from dagproof.source.readings import NOT_WORK
from dagproof.source.removed import CONTEXT, RUNS
from dagproof.source.scopes import Scope
from dagproof.source.strings import Text, texts
from dagproof.source.values import Value, dictionary

GETS_CONTEXT = ("get_current_context()",)


def in_templates(dagfile: DagFile, task: Task) -> Iterator[tuple[str, Text, int]]:
    """Yield each variable that a task's templates miss, with its text and line."""
    macros = task.dag.arguments.known.get("user_defined_macros") if task.dag else None
    ours = dictionary(macros, dagfile.resolver) if macros else None
    if task.dag is None or (ours and ours.open):
        return
    for call, scope in task.calls:
        for argument in [*call.args, *(k.value for k in call.keywords if k.arg not in NOT_WORK)]:
            for text in texts(Value(argument, scope), dagfile.resolver):
                for variable in templates.variables(text.text):
                    if is_missing(variable.name) and not (ours and variable.name in ours.known):
                        line = text.line(0) + (variable.line if text.line(len(text.text)) > text.line(0) else 0)
                        yield variable.name, text, line


def is_missing(name: str) -> bool:
    """Say whether a variable of the context, or an attribute of its run, is gone."""
    owner, _, attribute = name.partition(".")
    return name in CONTEXT or (owner in RUNS and attribute == "execution_date")


def in_code(dagfile: DagFile, body: Body) -> Iterator[tuple[str, Place, bool]]:
    """Yield each key that code asks the context for and misses: where, and whether that is an error at once."""
    scope = body.scope
    if scope.kind not in ("function", "lambda"):
        return
    for node in ast.walk(scope.node):
        key, base, fails = _asked(node)
        if key in CONTEXT and base is not None and _is_context(base, scope, body, dagfile):
            yield str(key), Place(scope.module, node), fails


def parameters(dagfile: DagFile, task: Task) -> Iterator[tuple[str, Place]]:
    """Yield each parameter of a task's function that the context gave, and does not give any more."""
    if task.arguments.known.get("op_args"):
        return
    op_kwargs = task.arguments.known.get("op_kwargs")
    by_dag = dictionary(op_kwargs, dagfile.resolver) if op_kwargs else None
    if by_dag and by_dag.open:
        return
    for entry, _ in task.entries:
        if task.names[0].startswith("<") or not isinstance(entry.node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        names = [*entry.node.args.posonlyargs, *entry.node.args.args]
        positions = max((len(call.args) for call, _ in task.calls), default=0) if task.function is entry else 0
        given = {k.arg for call, _ in task.calls for k in call.keywords} | set(by_dag.known if by_dag else ())
        for argument in [*names[positions:], *entry.node.args.kwonlyargs]:
            if argument.arg in CONTEXT and not {argument.arg, None} & given and _is_read(argument.arg, entry):
                yield argument.arg, Place(entry.module, argument)


def _is_read(name: str, scope: Scope) -> bool:
    return any(node.id == name for node, _ in scope.loads)


def _asked(node: ast.AST) -> tuple[object, ast.expr | None, bool]:
    """The key, and what is asked for it: ``base["key"]`` (which fails) or ``base.get("key")``."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant):
        return node.slice.value, node.value, True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop"):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and len(node.args) == 1:
            return first.value, node.func.value, node.func.attr == "pop"
    return None, None, False


def _is_context(base: ast.expr, scope: Scope, body: Body, dagfile: DagFile) -> bool:
    """Whether an expression is the context of a task: what Airflow passes, or what ``get_current_context`` gives."""
    if any(name.endswith(GETS_CONTEXT) and name.startswith("airflow.") for name in dagfile.resolver.names(base, scope)):
        return True
    if not isinstance(base, ast.Name):
        return False
    bindings = visible(base, scope)
    arguments = getattr(scope.node, "args", None)
    if arguments is None or len(bindings) != 1 or not isinstance(bindings[0].node, ast.arg):
        return False
    argument = bindings[0].node
    is_entry = body.task is not None and any(entry is scope for entry, _ in body.task.entries)
    given = body.task.arguments.known if body.task else {}
    if argument is arguments.kwarg:
        return is_entry and "op_kwargs" not in given
    return argument.arg == "context" and (argument in arguments.args or argument in arguments.kwonlyargs)
