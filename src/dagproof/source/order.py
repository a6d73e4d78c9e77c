"""Which task comes before which, as far as ``>>``, ``<<``, ``chain`` and ``set_downstream`` say it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from dagproof.source.dagfile import DagFile, Task
from dagproof.source.names import Resolver
from dagproof.source.scopes import Scope
from dagproof.source.values import Value, followed

T = TypeVar("T")
CHAINS = ("chain", "chain_linear", "cross_downstream")


@dataclass(frozen=True)
class Edge(Generic[T]):
    """One comes right before another, and the expression that says so."""

    first: T
    second: T
    node: ast.expr
    scope: Scope


def precedes(dagfile: DagFile) -> dict[Task, set[Task]]:
    """Return the tasks that come after each task, at once or later."""
    order = _next(dagfile)
    return {task: _after(order, task) for task in dagfile.tasks}


def successors(dagfile: DagFile) -> dict[Task, set[Task]]:
    """Return the tasks that come right after each task."""
    order = _next(dagfile)
    return {task: set(order.get(task, ())) for task in dagfile.tasks}


def _next(dagfile: DagFile) -> dict[Task, set[Task]]:
    nodes: dict[ast.AST, Task] = {}
    for task in dagfile.tasks:
        nodes[task.node] = task
        nodes.update({call: task for call, _ in task.calls})
    order = Order(nodes, dagfile.resolver)
    found: dict[Task, set[Task]] = {}
    for body in dagfile.bodies:
        if body.phase == "parse" and body.scope.kind in ("module", "function"):
            for node in body.scope.nodes:
                _add(found, order.said_by(node, body.scope))
    for task in nodes.values():
        for call, scope in task.calls:
            _add(found, order.given_to(task, call, scope))
    return found


def _add(found: dict[Task, set[Task]], edges: Iterable[Edge[Task]]) -> None:
    for edge in edges:
        found.setdefault(edge.first, set()).add(edge.second)


def _after(order: Mapping[Task, set[Task]], task: Task) -> set[Task]:
    """Return all that comes after a task."""
    found: set[Task] = set()
    waiting = [task]
    while waiting:
        fresh = order.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


class Order(Generic[T]):
    """Reads from expressions what comes before what.

    Args:
        known: what is put in order, by the expressions that make it.
        resolver: what names mean.
        only_sure: whether a name that may stand for several things stands for none.
    """

    def __init__(self, known: Mapping[ast.AST, T], resolver: Resolver, *, only_sure: bool = False) -> None:
        self._known = known
        self._resolver = resolver
        self._only_sure = only_sure

    def said_by(self, node: ast.AST, scope: Scope) -> Iterator[Edge[T]]:
        """Yield what one expression says."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift):
            left, right = self._last(node.left, scope), list(self._made(node.right, scope))
            first, second = (left, right) if isinstance(node.op, ast.RShift) else (right, left)
            yield from _all(first, second, node, scope)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in CHAINS:
                for one, other in pairwise([argument for argument in node.args if not _is_label(argument)]):
                    yield from self._chained(one, other, node, scope, in_pairs=name == "chain")
            elif name in ("set_downstream", "set_upstream") and isinstance(node.func, ast.Attribute):
                own = list(self._made(node.func.value, scope))
                others = [one for argument in node.args for one in self._made(argument, scope)]
                first, second = (own, others) if name == "set_downstream" else (others, own)
                yield from _all(first, second, node, scope)

    def given_to(self, task: T, call: ast.Call, scope: Scope) -> Iterator[Edge[T]]:
        """Yield what a task comes after since it is given of it: ``load(extract())``."""
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            for node in ast.walk(argument):
                if isinstance(node, ast.Name | ast.Call | ast.Attribute):
                    before = [one for one in self._made(node, scope) if one is not task]
                    yield from _all(before, [task], call, scope)

    def _chained(
        self, one: ast.expr, other: ast.expr, node: ast.expr, scope: Scope, *, in_pairs: bool
    ) -> Iterator[Edge[T]]:
        """What ``chain`` makes of two of its arguments: two lists of the same length are linked in pairs."""
        left, right = self._listed(one, scope), self._listed(other, scope)
        if in_pairs and left and right and len(left) > 1 and len(left) == len(right):
            pairs = list(zip(left, right, strict=True))
        else:
            pairs = [(Value(one, scope), Value(other, scope))]
        for first, second in pairs:
            yield from _all(list(self._made(*first)), list(self._made(*second)), node, scope)

    def _listed(self, node: ast.expr, scope: Scope) -> list[Value]:
        found = list(followed(Value(node, scope), self._resolver))
        inner = found[0].node if len(found) == 1 else node
        return [Value(item, found[0].scope) for item in inner.elts] if isinstance(inner, ast.List | ast.Tuple) else []

    def _last(self, node: ast.expr, scope: Scope) -> list[T]:
        """What a chain such as ``a >> b`` goes on from."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift):
            return self._last(node.left, scope) if _is_label(node.right) else list(self._made(node.right, scope))
        return list(self._made(node, scope))

    def _made(self, node: ast.expr, scope: Scope) -> Iterator[T]:
        """What an expression stands for."""
        if isinstance(node, ast.List | ast.Tuple):
            for item in node.elts:
                yield from self._made(item, scope)
            return
        if isinstance(node, ast.Attribute) and node.attr == "output":
            node = node.value
        values = list(followed(Value(node, scope), self._resolver))
        for value in values if len(values) == 1 or not self._only_sure else ():
            if value.node in self._known:
                yield self._known[value.node]
            elif isinstance(value.node, ast.List | ast.Tuple) and value.node is not node:
                yield from self._made(value.node, value.scope)


def _all(first: Iterable[T], second: Iterable[T], node: ast.expr, scope: Scope) -> Iterator[Edge[T]]:
    for one in first:
        yield from (Edge(one, other, node, scope) for other in second)


def _is_label(node: ast.expr) -> bool:
    """Whether it is ``Label(…)``, which names an edge and is nothing in between."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Label"
