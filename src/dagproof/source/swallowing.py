"""Handlers that take any error and go on: what they guard, and whether anybody learns of the error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.source.binding import bound
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.effects import Effects
from dagproof.source.outside import uses_database, uses_network
from dagproof.source.pieces import Body, Chain, Place, Site
from dagproof.source.usage import is_log

_BROAD = ("Exception", "BaseException")
#: What ends a transaction or a connection: it makes up for nothing.
_ENDING = ("rollback", "commit", "close", "dispose", "disconnect")
_COUNTING = (bool, int, float)


@dataclass(frozen=True)
class Swallow:
    """A handler that takes any error of what it guards."""

    places: Chain
    writes: bool
    """Whether it guards a statement that writes rows."""
    at_its_end: bool
    """Whether the task goes on, or ends, behind it; not so where its function returns what a caller may look at."""


def swallows(dagfile: DagFile, task: Task) -> Iterator[Swallow]:
    """Yield the handlers in the code of a task that take any error of a write, a request or a query, in silence."""
    bodies = dagfile.reached_by(task)
    written = [effect.call for effect in Effects(dagfile, task).all() if effect.call]
    resolver = bound(dagfile, task)
    for body in bodies:
        sites = [Site(call, scope, resolver.names(call.func, scope), body) for call, scope in body.scope.calls]
        for block, handler in _broad_handlers(body):
            inside = [site for site in sites if _is_in(site.call, block.body)]
            writes = any(_is_in(call, block.body) for call in written)
            reaches = any(uses_database(site.names) or uses_network(site.names) for site in inside)
            if (writes or reaches) and _is_silent(handler) and not _is_retried(body, block):
                is_own = body.scope in {scope for scope, _ in task.entries}
                ends = is_own or not any(isinstance(node, ast.Return) for node in ast.walk(handler))
                yield Swallow((*body.chain, Place(body.scope.module, handler)), writes, ends)


def _broad_handlers(body: Body) -> Iterator[tuple[ast.Try, ast.ExceptHandler]]:
    for node in _own_nodes(body.scope.node):
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                if _is_broad(handler.type):
                    yield node, handler


def _own_nodes(root: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of functions in it: they are bodies of their own."""
    for node in ast.iter_child_nodes(root):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            yield from _own_nodes(node)


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(one) for one in kind.elts)
    name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "")
    return kind is None or name in _BROAD


def _is_silent(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler does nothing with an error but log it, and roll back or commit.

    One that raises, counts, keeps the error, calls anything else with whatever comes of that, or leaves another value
    in its place by a call, is not silent: somebody may look at that.
    """
    for statement in handler.body:
        for node in (statement, *_own_nodes(statement)):
            if isinstance(node, ast.Raise | ast.AugAssign | ast.Yield | ast.YieldFrom | ast.Await | ast.Assert):
                return False
            if isinstance(node, ast.Call) and not _is_idle(node) and not _is_inside_log(node, statement):
                return False
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and _is_told(node.value, handler.name):
                return False
    return True


def _is_told(value: ast.expr | None, error: str | None) -> bool:
    """Tell whether a value that is assigned or returned says that there was an error: a flag, a number, the error."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, _COUNTING) or bool(value.value)
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} if value else set()
    return bool(value) and (error in names or not isinstance(value, ast.List | ast.Dict | ast.Tuple | ast.Call))


def _is_idle(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return (
        is_log(call) or name in _ENDING or name in ("getLogger", "get_logger", "format_exc", "print_exc", "DataFrame")
    )


def _is_inside_log(call: ast.Call, statement: ast.stmt) -> bool:
    """Tell whether a call only makes what is logged."""
    logs = [node for node in ast.walk(statement) if isinstance(node, ast.Call) and is_log(node)]
    return any(call is inner for log in logs for inner in ast.walk(log))


def _is_retried(body: Body, block: ast.Try) -> bool:
    """Tell whether what is guarded is tried again: in a ``while``, or in a ``for`` that counts."""
    for node in _own_nodes(body.scope.node):
        if not any(inner is block for inner in ast.walk(node)):
            continue
        if isinstance(node, ast.While):
            return True
        counted = node.iter if isinstance(node, ast.For) else None
        if isinstance(counted, ast.Call) and getattr(counted.func, "id", "") == "range" and _leaves(block):
            return True
    return False


def _leaves(block: ast.Try) -> bool:
    """Tell whether the loop around a block ends where that succeeds."""
    tried = (*block.body, *block.orelse)
    return any(isinstance(node, ast.Break | ast.Return) for one in tried for node in ast.walk(one))


def _is_in(node: ast.AST, statements: list[ast.stmt]) -> bool:
    return any(node is inner for statement in statements for inner in ast.walk(statement))
