"""What a call in a DAG file calls: a DAG, an operator, a function that is a task, a method of some class."""

from __future__ import annotations

import ast

from dagproof.source import words
from dagproof.source.names import Names, Resolver, visible
from dagproof.source.scopes import Scope

MAPPERS = (".partial", ".expand", ".expand_kwargs", ".override", ".override()", ".partial()")
MAPPING = ("partial", "expand", "expand_kwargs", "override")
TRANSPARENT = frozenset(
    {"functools.cache", "functools.lru_cache", "functools.lru_cache()", "functools.wraps()", "staticmethod"}
    | {"classmethod", "contextlib.contextmanager", "typing.no_type_check", "property"}
)


def is_dag_class(resolver: Resolver, names: Names) -> bool:
    """Say whether it is ``DAG``, or a class of the project that is one."""
    ours = [base for name in names if name.startswith("<") for base in resolver.bases(name)]
    return words.is_dag_class((*names, *ours))


def is_operator(resolver: Resolver, name: str, call: ast.Call) -> bool:
    """Say whether a call of something with this name makes a task of an operator."""
    if not any(keyword.arg in ("task_id", None) for keyword in call.keywords):
        return False
    if not name.startswith("<"):
        return bool(words.OPERATOR.search(name))
    return any(words.OPERATOR_BASE.match(base) for base in resolver.bases(name))


def decorators(resolver: Resolver, made: Scope) -> Names:
    """Return what decorates a definition."""
    home = made.parent or made
    return tuple(name for node in made.decorators for name in resolver.names(node, home))


def task_decorator(resolver: Resolver, made: Scope) -> ast.expr | None:
    """Return the decorator that makes a function a task; None where none does."""
    home = made.parent or made
    for node in made.decorators:
        if made.kind == "function" and words.is_task_decorator(resolver.names(node, home)):
            return node
    return None


def is_transparent(resolver: Resolver, function: Scope) -> bool:
    """Say whether calling a function surely runs its body at once."""
    found = [resolver.names(node, function.parent or function) for node in function.decorators]
    return all(
        (names and (names[0] in TRANSPARENT or words.is_dag_decorator(names) or names[0].endswith("task_group")))
        or (names and names[0].endswith("task_group()"))
        for names in found
    )  # fmt: skip


def receiver_of(resolver: Resolver, function: ast.expr, scope: Scope, around: Scope | None = None) -> Scope | None:
    """Return the class of the object that a method is called on: in a method itself, that of its own object."""
    if not isinstance(function, ast.Attribute):
        return None
    owner = function.value
    if isinstance(owner, ast.Name) and around:
        bindings = visible(owner, scope)
        if bindings and bindings[0].kind in ("self", "cls"):
            return around
    if isinstance(owner, ast.Call) and getattr(owner.func, "id", "") == "super":
        return around
    made = [resolver.project.definitions.get(name.removesuffix("()")) for name in resolver.names(owner, scope)]
    return next((one for one in made if one and one.kind == "class"), None)


def inheriting(method: Scope, receiver: Scope | None) -> Scope | None:
    """Return the class of an object, where it is not the one that defines a method, but one that inherits it."""
    owner = method.parent
    return receiver if owner and owner.kind == "class" and receiver is not owner else None


def mapped_on(node: ast.expr) -> ast.expr | None:
    """Return what ``.expand`` or ``.override(…)`` is an attribute or a call of; None for anything else."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.value if isinstance(function, ast.Attribute) and function.attr in MAPPING else None


def without_mapper(name: str) -> str:
    """Return what ``.partial(…)``, ``.expand(…)`` and ``.override(…)`` are called on."""
    while name.endswith(MAPPERS):
        name = name.removesuffix("()").rpartition(".")[0]
    return name
