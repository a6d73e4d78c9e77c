"""Where tasks and templates ask the context for what Airflow 3 does not give any more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dagproof.source import templates
from dagproof.source.dagfile import Body, DagFile, Place, Task
from dagproof.source.names import visible
from dagproof.source.readings import NOT_WORK
from dagproof.source.removed import CONTEXT, RUNS
from dagproof.source.scopes import Scope
from dagproof.source.strings import Text, texts
from dagproof.source.values import Value, constant, dictionary

GETS_CONTEXT = ("get_current_context()",)
OWN_RUNS = ("include_prior_dates", "run_id", "map_indexes")
"""With these a task pulls what it pushed itself, in another run or as another of its instances."""
PULL = re.compile(r"\b(?:ti|task_instance)\.xcom_pull\((?P<given>(?:[^()]|\([^()]*\))*)\)")


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
    for node in scope.nodes:
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


def dates_of_runs(dagfile: DagFile, body: Body) -> Iterator[tuple[str, Place]]:
    """Yield where code asks its run or its task instance for ``execution_date``."""
    scope = body.scope
    if scope.kind not in ("function", "lambda"):
        return
    for node in scope.nodes:
        if not isinstance(node, ast.Attribute) or node.attr != "execution_date":
            continue
        if owner := _run_of(node.value, scope, body, dagfile):
            yield f"{owner}.execution_date", Place(scope.module, node)


def pulls(dagfile: DagFile, body: Body) -> Iterator[tuple[str, Place]]:
    """Yield where code pulls an XCom of no task by name: the key, as it is told, and the place."""
    scope = body.scope
    for call, inner in scope.calls:
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr != "xcom_pull" or call.args:
            continue
        names = {keyword.arg for keyword in call.keywords}
        if names & {"task_ids", None, *OWN_RUNS} or not _run_of(function.value, inner, body, dagfile):
            continue
        key = next((keyword.value for keyword in call.keywords if keyword.arg == "key"), None)
        told = constant(Value(key, inner), dagfile.resolver) if key else "return_value"
        if told not in _pushed(dagfile, body):
            yield (repr(told) if isinstance(told, str) else "a key"), Place(scope.module, call)


def _pushed(dagfile: DagFile, body: Body) -> set[object]:
    """The keys that a task pushes itself; with ``...`` among them where one can't be told."""
    found: set[object] = set()
    for site in dagfile.sites_of(dagfile.reached_by(body.task)) if body.task else ():
        if isinstance(site.call.func, ast.Attribute) and site.call.func.attr == "xcom_push":
            given = [keyword.value for keyword in site.call.keywords if keyword.arg == "key"] or site.call.args[:1]
            found |= {constant(Value(key, site.scope), dagfile.resolver) for key in given}
    return found


def pulls_in_templates(dagfile: DagFile, task: Task) -> Iterator[tuple[str, Text, int]]:
    """Yield where a template pulls an XCom of no task by name: what it says, its text, and its line."""
    for call, scope in task.calls if task.dag else ():
        for argument in [*call.args, *(k.value for k in call.keywords if k.arg not in NOT_WORK)]:
            for text in texts(Value(argument, scope), dagfile.resolver):
                for found in PULL.finditer(text.text) if "{{" in text.text or "{%" in text.text else ():
                    if _pulls_own(found["given"]):
                        yield found[0], text, text.line(found.start())


def _pulls_own(given: str) -> bool:
    try:
        call = ast.parse(f"f({given})", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    names = {keyword.arg for keyword in getattr(call, "keywords", [])}
    return isinstance(call, ast.Call) and not call.args and not names & {"task_ids", None, *OWN_RUNS}


def _run_of(node: ast.expr, scope: Scope, body: Body, dagfile: DagFile, depth: int = 4) -> str | None:
    """Which of ``ti``, ``task_instance`` and ``dag_run`` an expression surely is, in the code of a task."""
    key, base, _ = _asked(node)
    if base is not None:
        return str(key) if key in RUNS and _is_context(base, scope, body, dagfile) else None
    if not isinstance(node, ast.Name) or not depth:
        return None
    bindings = visible(node, scope)
    if len(bindings) != 1:
        return None
    if isinstance(bindings[0].node, ast.arg):
        return node.id if node.id in RUNS else None
    if bindings[0].kind == "value" and bindings[0].value is not None:
        return _run_of(bindings[0].value, bindings[0].scope, body, dagfile, depth - 1)
    return None
