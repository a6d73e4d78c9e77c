"""What the calls of a DAG file give to parameters: of builder functions, of helpers, of operators' own classes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from dagproof.source.dagfile import DagFile, Site, Task
from dagproof.source.names import Resolver
from dagproof.source.scopes import Scope
from dagproof.source.values import Bound, Given, Value, dictionary

MOST_VALUES = 12
"""Further values of one parameter are left out: a helper that a hundred calls share says nothing about any of them."""
_PARSED: WeakKeyDictionary[DagFile, Given] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[DagFile, dict[Task | None, Bound]] = WeakKeyDictionary()


def bound(dagfile: DagFile, task: Task | None = None) -> Bound:
    """Return a resolver that knows what parameters are given: by all calls, or by those that one task makes."""
    known = _KNOWN.setdefault(dagfile, {})
    if task not in known:
        given = {parameter: list(values) for parameter, values in _while_parsing(dagfile).items()}
        if task is None:
            _take_up(given, dagfile.sites("run"), dagfile.resolver)
            for one in dagfile.tasks:
                _of_task(given, one, dagfile.resolver)
        else:
            _take_up(given, dagfile.sites_of(dagfile.reached_by(task)), dagfile.resolver)
            own: Given = {}
            _of_task(own, task, dagfile.resolver)
            given.update(own)
        known[task] = Bound(dagfile.resolver, given)
    return known[task]


def _while_parsing(dagfile: DagFile) -> Given:
    """What calls give to parameters while the file is parsed: the same for all tasks."""
    if dagfile not in _PARSED:
        _PARSED[dagfile] = {}
        _take_up(_PARSED[dagfile], dagfile.sites("parse"), dagfile.resolver)
    return _PARSED[dagfile]


def _take_up(given: Given, sites: Iterable[Site], resolver: Resolver) -> None:
    for site in sites:
        for name in site.names:
            for function in _functions(name, resolver):
                _bind(given, function, site.call, site.scope, resolver)


def _functions(name: str, resolver: Resolver) -> Iterable[Scope]:
    """The function that a full name means; of a class, what makes its objects."""
    made = resolver.project.definitions.get(name)
    if made and made.kind in ("function", "lambda"):
        yield made
    elif made and made.kind == "class":
        for init in resolver.attribute(f"{name}()", "__init__"):
            found = resolver.project.definitions.get(init)
            if found and found.kind == "function":
                yield found


def _of_task(given: Given, task: Task, resolver: Resolver) -> None:
    """What a task's own arguments give to its class, and to the function that it runs."""
    for call, scope in task.calls:
        for name in task.names:
            for function in _functions(name, resolver) if name.startswith("<") else ():
                _bind(given, function, call, scope, resolver)
        if task.function is not None:
            _bind(given, task.function, call, scope, resolver)
    op_kwargs, op_args = task.arguments.known.get("op_kwargs"), task.arguments.known.get("op_args")
    for entry, _ in task.entries:
        by_name = dictionary(op_kwargs, resolver).known if op_kwargs else {}
        is_list = op_args is not None and isinstance(op_args.node, ast.List | ast.Tuple)
        listed = op_args.node.elts if op_args and isinstance(op_args.node, ast.List | ast.Tuple) else []
        positional = [Value(node, op_args.scope) for node in listed] if op_args and is_list else []
        if by_name or positional:
            _give(given, entry, positional, by_name, defaults=False)


def _bind(given: Given, function: Scope, call: ast.Call, scope: Scope, resolver: Resolver) -> None:
    positional = []
    for node in call.args:
        if isinstance(node, ast.Starred):
            break
        positional.append(Value(node, scope))
    by_name: dict[str, Value] = {}
    for keyword in call.keywords:
        if keyword.arg:
            by_name[keyword.arg] = Value(keyword.value, scope)
        else:
            by_name.update(dictionary(Value(keyword.value, scope), resolver).known)
    _give(given, function, positional, by_name, defaults=True)


def _give(given: Given, function: Scope, positional: list[Value], by_name: dict[str, Value], *, defaults: bool) -> None:
    arguments = getattr(function.node, "args", None)
    if not isinstance(arguments, ast.arguments):
        return
    names = [*arguments.posonlyargs, *arguments.args]
    bindings = function.bindings.get(names[0].arg, []) if names else []
    if bindings and bindings[0].kind in ("self", "cls"):
        names = names[1:]
    for parameter, value in zip(names, positional, strict=False):
        _add(given, parameter, value)
    left = dict(by_name)
    for parameter in [*names[len(positional) :], *arguments.kwonlyargs]:
        known = left.pop(parameter.arg, None)
        bindings = function.bindings.get(parameter.arg, [])
        if known is None and defaults and bindings and bindings[0].kind == "default" and bindings[0].value is not None:
            known = Value(bindings[0].value, bindings[0].scope)
        if known is not None:
            _add(given, parameter, known)
    if arguments.vararg and positional[len(names) :]:
        rest = positional[len(names) :]
        _add(given, arguments.vararg, Value(ast.Tuple([one.node for one in rest], ast.Load()), rest[0].scope))
    if arguments.kwarg and left:
        keys: list[ast.expr | None] = [ast.Constant(key) for key in left]
        made = ast.Dict(keys, [one.node for one in left.values()])
        ast.copy_location(made, next(iter(left.values())).node)
        _add(given, arguments.kwarg, Value(made, next(iter(left.values())).scope))


def _add(given: Given, parameter: ast.arg, value: Value) -> None:
    known = given.setdefault(parameter, [])
    is_itself = isinstance(value.node, ast.Name) and any(
        binding.node is parameter for binding in value.scope.bindings.get(value.node.id, [])
    )
    if len(known) < MOST_VALUES and not is_itself and all(one.node is not value.node for one in known):
        known.append(value)
