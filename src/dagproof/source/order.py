"""Which task comes before which, as far as ``>>``, ``<<``, ``chain`` and ``set_downstream`` say it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from dagproof.source.dagfile import DagFile, Task
from dagproof.source.scopes import Scope
from dagproof.source.values import Value, followed


def precedes(dagfile: DagFile) -> dict[Task, set[Task]]:
    """Return the tasks that come after each task, at once or later."""
    order = _ordered(dagfile)
    return {task: order.after(task) for task in dagfile.tasks}


def successors(dagfile: DagFile) -> dict[Task, set[Task]]:
    """Return the tasks that come right after each task."""
    order = _ordered(dagfile)
    return {task: order.next_to(task) for task in dagfile.tasks}


def _ordered(dagfile: DagFile) -> _Order:
    order = _Order(dagfile)
    for body in dagfile.bodies:
        if body.phase == "parse" and body.scope.kind in ("module", "function"):
            for node in ast.walk(body.scope.node):
                order.look(node, body.scope)
    order.look_at_arguments()
    return order


class _Order:
    def __init__(self, dagfile: DagFile) -> None:
        self._resolver = dagfile.resolver
        self._next: dict[Task, set[Task]] = {}
        self._by_node: dict[ast.AST, Task] = {}
        for task in dagfile.tasks:
            self._by_node[task.node] = task
            self._by_node.update({call: task for call, _ in task.calls})

    def look(self, node: ast.AST, scope: Scope) -> None:
        """Take up what one expression says."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift):
            left, right = self._last(node.left, scope), list(self._tasks(node.right, scope))
            self._link(*(left, right) if isinstance(node.op, ast.RShift) else (right, left))
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            groups = [list(self._tasks(argument, scope)) for argument in node.args]
            if name == "chain":
                for first, second in pairwise(groups):
                    self._link(first, second)
            elif name in ("set_downstream", "set_upstream") and isinstance(node.func, ast.Attribute):
                own, others = list(self._tasks(node.func.value, scope)), [task for group in groups for task in group]
                self._link(*(own, others) if name == "set_downstream" else (others, own))

    def look_at_arguments(self) -> None:
        """Take up what tasks are given of each other: ``load(extract())``."""
        for task in self._by_node.values():
            for call, scope in task.calls:
                for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                    for node in ast.walk(argument):
                        if isinstance(node, ast.Name | ast.Call | ast.Attribute):
                            self._link([one for one in self._tasks(node, scope) if one is not task], [task])

    def next_to(self, task: Task) -> set[Task]:
        """Return what comes right after a task."""
        return set(self._next.get(task, ()))

    def after(self, task: Task) -> set[Task]:
        """Return all that comes after a task."""
        found: set[Task] = set()
        waiting = [task]
        while waiting:
            fresh = self._next.get(waiting.pop(), set()) - found
            found |= fresh
            waiting += fresh
        return found

    def _link(self, first: list[Task], second: list[Task]) -> None:
        for task in first:
            self._next.setdefault(task, set()).update(second)

    def _last(self, node: ast.expr, scope: Scope) -> list[Task]:
        """What a chain such as ``a >> b`` goes on from."""
        is_chain = isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift)
        return list(self._tasks(node.right if isinstance(node, ast.BinOp) and is_chain else node, scope))

    def _tasks(self, node: ast.expr, scope: Scope) -> Iterator[Task]:
        if isinstance(node, ast.List | ast.Tuple):
            for item in node.elts:
                yield from self._tasks(item, scope)
            return
        if isinstance(node, ast.Attribute) and node.attr == "output":
            node = node.value
        for value in followed(Value(node, scope), self._resolver):
            if value.node in self._by_node:
                yield self._by_node[value.node]
            elif isinstance(value.node, ast.List | ast.Tuple) and value.node is not node:
                yield from self._tasks(value.node, value.scope)
