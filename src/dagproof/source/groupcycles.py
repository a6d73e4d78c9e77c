"""Task groups that depend on each other: `a` before `b` in one place, and `b` before `a` in another one.

Airflow puts the children of each group in order, so what a task inside of a group waits for, the group waits for. Only
what surely happens once is looked at: code in no branch and no loop, in functions that are called once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dagproof.source import words
from dagproof.source.binding import bound
from dagproof.source.dagfile import Body, Chain, DagFile
from dagproof.source.names import Names, Resolver
from dagproof.source.order import Edge, Order
from dagproof.source.scopes import Scope
from dagproof.source.values import Value, constant, followed, keywords

MOST_NESTED = 20
STOPS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match, ast.FunctionDef, ast.AsyncFunctionDef)
HIDDEN = (ast.Lambda, ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(eq=False)
class Node:
    """A task or a task group, as often as it is made: here just once."""

    made: ast.expr
    scope: Scope
    name: str
    is_group: bool
    around: tuple[Node, ...] = ()
    """The groups around it, the outermost first."""


@dataclass(frozen=True)
class GroupCycle:
    """Groups, and tasks beside them, that each come before and after another one of them."""

    members: tuple[Node, ...]
    edges: tuple[Edge[Node], ...]
    """One for each step of the circle, in the order of their lines."""
    chain: Chain


def group_cycles(dagfile: DagFile) -> Iterator[GroupCycle]:
    """Yield each circle among the children of one group, where at least one of them is a group."""
    if not dagfile.groups:
        return
    look = _Look(dagfile)
    sides: dict[tuple[Node, ...], dict[Node, dict[Node, Edge[Node]]]] = {}
    for edge in look.edges():
        split = _split(edge)
        if split:
            parent, first, second = split
            sides.setdefault(parent, {}).setdefault(first, {}).setdefault(second, edge)
    for graph in sides.values():
        circle = _circle(graph)
        if any(node.is_group for node in circle):
            edges = [graph[one][circle[(n + 1) % len(circle)]] for n, one in enumerate(circle)]
            edges.sort(key=lambda edge: edge.node.lineno)
            yield GroupCycle(tuple(circle), tuple(edges), look.chain_of(edges[-1]))


class _Look:
    def __init__(self, dagfile: DagFile) -> None:
        self._dagfile = dagfile
        self._resolver = bound(dagfile)
        self._plain: dict[Scope, list[ast.AST]] = {}
        """What surely happens in each body, in order."""
        self._bodies: dict[Scope, Body] = {}
        self._nodes: dict[ast.AST, Node] = {}
        self._calls: dict[Scope, list[tuple[ast.Call, Scope]]] = {}
        """Where each of the project's functions is called."""
        for body in dagfile.bodies:
            if body.phase == "parse" and body.scope.kind in ("module", "function"):
                self._plain[body.scope] = list(_plain(body.scope))
                self._bodies[body.scope] = body
        self._tasks = {call: task for task in dagfile.tasks for call, _ in task.calls}
        for site in dagfile.sites("parse"):
            for name in site.names:
                made = self._resolver.project.definitions.get(name)
                if made:
                    self._calls.setdefault(made, []).append((site.call, site.scope))
        for scope, plain in self._plain.items():
            for node in plain:
                if isinstance(node, ast.Call):
                    self._take(node, scope)
        for one in list(self._nodes.values()):
            around = self._around(one)
            if around is None:
                del self._nodes[one.made]
            else:
                one.around = around

    def edges(self) -> Iterator[Edge[Node]]:
        """Yield what surely comes before what."""
        order = Order(self._nodes, self._resolver, only_sure=True)
        for scope, plain in self._plain.items():
            if self._called_from(scope) is not None:
                for node in plain:
                    yield from order.said_by(node, scope)
        for one in self._nodes.values():
            if not one.is_group and isinstance(one.made, ast.Call):
                yield from order.given_to(one, one.made, one.scope)

    def chain_of(self, edge: Edge[Node]) -> Chain:
        """Return the calls that lead to an edge."""
        return self._bodies[edge.scope.body].chain if edge.scope.body in self._bodies else ()

    def _take(self, call: ast.Call, scope: Scope) -> None:
        names = self._resolver.names(call.func, scope)
        made = self._resolver.project.definitions.get(names[0]) if len(names) == 1 else None
        if words.is_task_group(names):
            given = keywords(call, scope, self._resolver).known.get("group_id")
            value = Value(call.args[0], scope) if call.args else given
            self._nodes[call] = Node(call, scope, _text(value, self._resolver), True)
        elif made and made.kind == "function" and self._is_decorated(made, words.is_group_decorator):
            self._nodes[call] = Node(call, scope, made.name, True)
        elif task := self._tasks.get(call):
            self._nodes[call] = Node(call, scope, task.task_id or "", False)

    def _is_decorated(self, made: Scope, by: Callable[[Names], bool]) -> bool:
        home = made.parent or made
        return any(by(self._resolver.names(node, home)) for node in made.decorators)

    def _around(self, one: Node) -> tuple[Node, ...] | None:
        """The groups around something; None where that is not sure."""
        found: list[Node] = []
        made, scope = one.made, one.scope
        for _ in range(MOST_NESTED):
            told = self._told(made, scope)
            if told is None:
                return None
            if told is not made:
                found.insert(0, self._nodes[told])
                made, scope = told, self._nodes[told].scope
                continue
            found[:0] = self._withs(made, scope)
            called = self._called_from(scope.body)
            if called is None:
                return None
            if isinstance(called, bool):
                return tuple(found)
            made, scope = called
            if made in self._nodes and self._nodes[made].is_group:
                found.insert(0, self._nodes[made])
        return None

    def _told(self, made: ast.expr, scope: Scope) -> ast.expr | None:
        """The group that a call itself names; the call where it names none, None where that can't be told."""
        given = keywords(made, scope, self._resolver) if isinstance(made, ast.Call) else None
        named = given and (given.known.get("task_group") or given.known.get("parent_group"))
        if not named:
            return None if given and given.open else made
        found = [one.node for one in followed(named, self._resolver)]
        return found[0] if len(found) == 1 and found[0] in self._nodes and found[0] is not made else None

    def _withs(self, made: ast.expr, scope: Scope) -> list[Node]:
        """The groups whose ``with`` is around a call, in the body that it is in."""
        found = []
        for statement, inner in scope.body.withs:
            is_around = statement.body[0].lineno <= made.lineno <= (statement.end_lineno or 0)
            for item in statement.items if is_around else ():
                values = list(followed(Value(item.context_expr, inner), self._resolver))
                node = self._nodes.get(values[0].node) if len(values) == 1 else None
                if node and node.is_group:
                    found.append((statement.lineno, node))
        return [node for _, node in sorted(found, key=lambda one: one[0])]

    def _called_from(self, body: Scope) -> tuple[ast.expr, Scope] | bool | None:
        """The one call that runs a body; True where nothing needs to call it, None where it may run otherwise."""
        if body.kind == "module":
            return body is self._dagfile.module.scope or None
        if self._is_decorated(body, words.is_dag_decorator):
            return True
        calls = self._calls.get(body, [])
        if len(calls) != 1 or calls[0][0] not in self._plain.get(calls[0][1].body, ()):
            return None
        return calls[0]


def _text(value: Value | None, resolver: Resolver) -> str:
    found = constant(value, resolver) if value else ""
    return found if isinstance(found, str) else ""


def _plain(scope: Scope) -> Iterator[ast.AST]:
    """Yield the expressions of a body that are surely evaluated just once where it runs."""
    waiting: list[ast.AST] = list(reversed(getattr(scope.node, "body", [])))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*STOPS, ast.ClassDef, *HIDDEN)):
            continue
        if isinstance(node, ast.expr):
            yield node
        waiting += reversed(list(ast.iter_child_nodes(node)))


def _split(edge: Edge[Node]) -> tuple[tuple[Node, ...], Node, Node] | None:
    """Where two nodes part: the groups around both, and the child of these that each is, or is in."""
    first, second = (*edge.first.around, edge.first), (*edge.second.around, edge.second)
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        if one is not other:
            return first[:number], one, other
    return None


def _circle(graph: dict[Node, dict[Node, Edge[Node]]]) -> Sequence[Node]:
    """The shortest circle in a graph; nothing where there is none."""
    found: list[Node] = []
    for start in graph:
        ways: dict[Node, list[Node]] = {start: [start]}
        waiting = [start]
        for node in waiting:
            for after in graph.get(node, {}):
                if after is start and (not found or len(ways[node]) < len(found)):
                    found = ways[node]
                elif after not in ways:
                    ways[after] = [*ways[node], after]
                    waiting.append(after)
    return found
