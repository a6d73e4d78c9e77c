"""What an expression is worth where it can be told: constants, dictionaries, keyword arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias, cast

from dagproof.source.names import Resolver, visible
from dagproof.source.project import readable_scope
from dagproof.source.scopes import Binding, Scope

MOST_ITEMS = 30
MOST_STEPS = 8
_SAME_ITEMS = frozenset({"list", "tuple", "set", "sorted", "reversed"})


class Value(NamedTuple):
    """An expression, and the scope that gives its names a meaning."""

    node: ast.expr
    scope: Scope


Given: TypeAlias = "dict[ast.arg, list[Value]]"
"""What calls give to parameters."""


class Bound(Resolver):
    """A resolver that also knows what some calls give to parameters, and what loops over written lists go through.

    Args:
        resolver: what names mean; it shares all that this one learns.
        given: the values of parameters.
    """

    def __init__(self, resolver: Resolver, given: Given) -> None:
        super().__init__(resolver.project)
        self.__dict__.update(resolver.__dict__)
        self.remembered = {}
        self.given = given


def followed(value: Value, resolver: Resolver, depth: int = MOST_STEPS) -> Sequence[Value]:
    """Return the expressions that a name or attribute got its value from; an expression of another kind is itself."""
    if not depth or not isinstance(value.node, ast.Name | ast.Attribute):
        return (value,)
    if depth < MOST_STEPS:
        return list(_followed(value, resolver, depth))
    key = (value.node, value.scope)
    found = resolver.remembered.get(key)
    if found is None:
        found = resolver.remembered[key] = tuple(_followed(value, resolver, depth))
    return cast("Sequence[Value]", found)


def _followed(value: Value, resolver: Resolver, depth: int) -> Iterator[Value]:
    node, scope = value
    if depth and isinstance(node, ast.Name):
        bindings = visible(node, scope)
    elif depth and isinstance(node, ast.Attribute):
        bindings = _attribute_bindings(node, scope, resolver)
    else:
        bindings = []
    if not bindings:
        yield value
    for binding in bindings:
        if given := given_to(binding, resolver):
            for one in given:
                yield from followed(one, resolver, depth - 1)
        elif binding.kind in ("value", "default") and binding.value is not None:
            yield from followed(Value(binding.value, binding.scope), resolver, depth - 1)
        elif binding.kind == "import":
            yield from _imported(binding.target, value, resolver, depth)
        else:
            yield value


def given_to(binding: Binding, resolver: Resolver) -> list[Value]:
    """Return what calls give to a parameter, or what a loop over a written list goes through; mostly nothing."""
    if not isinstance(resolver, Bound):
        return []
    if isinstance(binding.node, ast.arg):
        return resolver.given.get(binding.node, [])
    if binding.kind == "unknown" and isinstance(binding.node, ast.Name):
        return _of_loop(binding, resolver)
    return []


def _of_loop(binding: Binding, resolver: Resolver) -> list[Value]:
    """What the variable of a loop gets, one after another."""
    for node in binding.scope.nodes:
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and binding.node in ast.walk(node.target):
            position = None
            if isinstance(node.target, ast.Tuple | ast.List):
                position = next((n for n, one in enumerate(node.target.elts) if one is binding.node), None)
            elif node.target is not binding.node:
                return []
            items = _items(Value(node.iter, binding.scope), resolver)
            return [part for item in items if (part := _part(item, position)) is not None]
    return []


def _items(value: Value, resolver: Resolver, depth: int = 3) -> list[Value]:
    """What is iterated over: the entries of a written list, or of a dictionary."""
    call = value.node
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("items", "values"):
        for one in followed(Value(call.func.value, value.scope), resolver, 4):
            if isinstance(one.node, ast.Dict):
                pairs = [(k, v) for k, v in zip(one.node.keys, one.node.values, strict=True) if k is not None]
                is_whole = call.func.attr == "items"
                nodes: list[ast.expr] = [ast.Tuple([k, v], ast.Load()) if is_whole else v for k, v in pairs]
                return [Value(node, one.scope) for node in nodes][:MOST_ITEMS]
        return []
    if isinstance(call, ast.Call) and getattr(call.func, "id", "") in _SAME_ITEMS and len(call.args) == 1 and depth:
        return _items(Value(call.args[0], value.scope), resolver, depth - 1)
    items: list[Value] = []
    for one in followed(value, resolver, 4):
        if isinstance(one.node, ast.List | ast.Tuple | ast.Set):
            items += [Value(node, one.scope) for node in one.node.elts]
        elif isinstance(one.node, ast.Call) and one.node is not call and depth:
            items += _items(one, resolver, depth - 1)
    return items[:MOST_ITEMS]


def _part(item: Value, position: int | None) -> Value | None:
    if position is None:
        return item
    is_row = isinstance(item.node, ast.Tuple | ast.List) and position < len(item.node.elts)
    return (
        Value(item.node.elts[position], item.scope) if is_row and isinstance(item.node, ast.Tuple | ast.List) else None
    )


def _imported(target: str, value: Value, resolver: Resolver, depth: int) -> Iterator[Value]:
    found = resolver.project.find(target, value.scope.module)
    scope = readable_scope(found[0]) if found and len(found[1]) == 1 else None
    bindings = scope.bindings.get(found[1][0], []) if scope and found else []
    if not bindings:
        yield value
    for binding in bindings[-1:]:
        if binding.value is not None:
            yield from followed(Value(binding.value, binding.scope), resolver, depth - 1)
        elif binding.kind == "import" and depth:
            yield from _imported(binding.target, Value(value.node, binding.scope), resolver, depth - 1)
        else:
            yield value


def _attribute_bindings(node: ast.Attribute, scope: Scope, resolver: Resolver) -> list[Binding]:
    for base in resolver.names(node.value, scope):
        owner = resolver.project.definitions.get(base.removesuffix("()"))
        if base.startswith("<") and base.endswith(">") and "." not in base:
            owner = readable_scope(resolver.project.numbered(base))
        if owner and owner.kind in ("class", "module"):
            return [*owner.bindings.get(node.attr, []), *owner.attributes.get(node.attr, [])]
    return []


def constant(value: Value, resolver: Resolver) -> object:
    """Return the constant that an expression surely is; ``...`` where that can't be told."""
    found = {repr(_literal(one.node)): _literal(one.node) for one in followed(value, resolver)}
    return next(iter(found.values())) if len(found) == 1 else ...


def _literal(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else ...


def given(call: ast.Call, scope: Scope, resolver: Resolver, name: str, position: int | None) -> object:
    """Return the constant that a call is given; None where it is not given, ``...`` where it can't be told."""
    known, is_open = keywords(call, scope, resolver)
    if name in known:
        return constant(known[name], resolver)
    if is_open:
        return ...
    if position is not None and position < len(call.args):
        return constant(Value(call.args[position], scope), resolver)
    return None


class Arguments(NamedTuple):
    """Named values, and whether there may be others that can't be told (``**kwargs``)."""

    known: dict[str, Value]
    open: bool


def keywords(call: ast.Call, scope: Scope, resolver: Resolver) -> Arguments:
    """Return the keyword arguments of a call, those behind ``**`` and of ``functools.partial`` among them."""
    before = _of_partial(call.func, scope, resolver)
    known, is_open = dict(before.known), before.open
    for keyword in call.keywords:
        if keyword.arg:
            known[keyword.arg] = Value(keyword.value, scope)
        else:
            behind = dictionary(Value(keyword.value, scope), resolver)
            known.update(behind.known)
            is_open = is_open or behind.open
    return Arguments(known, is_open)


def decorator_arguments(node: ast.expr, scope: Scope, resolver: Resolver) -> Arguments:
    """Return the keyword arguments of a decorator, called or not."""
    return keywords(node, scope, resolver) if isinstance(node, ast.Call) else _of_partial(node, scope, resolver)


def _of_partial(function: ast.expr, scope: Scope, resolver: Resolver) -> Arguments:
    """What a function has got already where it is a ``functools.partial``."""
    if isinstance(function, ast.Name):
        for value in followed(Value(function, scope), resolver):
            made = value.node
            if isinstance(made, ast.Call) and resolver.names(made.func, value.scope) == ("functools.partial",):
                return keywords(made, value.scope, resolver)
    return Arguments({}, False)


def dictionary(value: Value, resolver: Resolver, depth: int = 6) -> Arguments:
    """Return what is in a dictionary, through names, ``dict(…)``, ``|``, ``**``, and what is put into it later."""
    known: dict[str, Value] = {}
    is_open = False
    found = list(followed(value, resolver)) if depth else []
    for one in found:
        part = _entries(one, resolver, depth)
        known.update(part.known)
        is_open = is_open or part.open
    if isinstance(value.node, ast.Name):
        known.update(_put_later(value.node, value.scope))
    return Arguments(known, is_open or len(found) != 1)


def _entries(value: Value, resolver: Resolver, depth: int) -> Arguments:
    node, scope = value
    if isinstance(node, ast.Dict):
        return _of_literal(node, scope, resolver, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [dictionary(Value(side, scope), resolver, depth - 1) for side in (node.left, node.right)]
        return Arguments({**sides[0].known, **sides[1].known}, sides[0].open or sides[1].open)
    if isinstance(node, ast.Call):
        names = resolver.names(node.func, scope)
        if names == ("dict",):
            given = keywords(node, scope, resolver)
            first = dictionary(Value(node.args[0], scope), resolver, depth - 1) if node.args else Arguments({}, False)
            return Arguments({**first.known, **given.known}, first.open or given.open)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("copy", "deepcopy") and not node.args:
            return dictionary(Value(node.func.value, scope), resolver, depth - 1)
        if names in (("copy.copy",), ("copy.deepcopy",)) and node.args:
            return dictionary(Value(node.args[0], scope), resolver, depth - 1)
        made = resolver.project.definitions.get(names[0]) if len(names) == 1 else None
        if made and made.kind == "function" and len(made.returns) == 1 and not made.decorators:
            return dictionary(Value(made.returns[0], made), resolver, depth - 1)
    return Arguments({}, not (isinstance(node, ast.Constant) and node.value is None))


def _of_literal(node: ast.Dict, scope: Scope, resolver: Resolver, depth: int) -> Arguments:
    known: dict[str, Value] = {}
    is_open = False
    for key, item in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            known[str(key.value)] = Value(item, scope)
        elif key is None:
            inner = dictionary(Value(item, scope), resolver, depth - 1)
            known.update(inner.known)
            is_open = is_open or inner.open
        else:
            is_open = True
    return Arguments(known, is_open)


def _put_later(name: ast.Name, scope: Scope) -> dict[str, Value]:
    """What ``name["key"] = value`` and ``name.update(…)`` add, in the body where the name has its value."""
    bindings = visible(name, scope)
    home = bindings[0].scope if bindings and bindings[0].kind == "value" else None
    if home is None or not isinstance(home.node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
        return {}
    found: dict[str, Value] = {}
    for node in home.node.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if _is_name(target.value, name.id) and isinstance(target.slice, ast.Constant):
                found[str(target.slice.value)] = Value(node.value, home)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found.update(_updated(node.value, name.id, home))
    return found


def _updated(call: ast.Call, name: str, scope: Scope) -> dict[str, Value]:
    function = call.func
    if not (isinstance(function, ast.Attribute) and function.attr == "update" and _is_name(function.value, name)):
        return {}
    found = {keyword.arg: Value(keyword.value, scope) for keyword in call.keywords if keyword.arg}
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            pairs = zip(argument.keys, argument.values, strict=True)
            found.update({str(k.value): Value(v, scope) for k, v in pairs if isinstance(k, ast.Constant)})
    return found


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
