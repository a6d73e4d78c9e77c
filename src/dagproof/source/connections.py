"""Which calls of Python reach a database in one transaction: through one connection, with no commit in between."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.source.names import Resolver
from dagproof.source.scopes import Scope
from dagproof.source.values import Value, constant, followed

Unit = tuple[object, ...]
"""What tells one transaction from another."""
BLOCKS = ("transaction", "begin", "atomic", "begin_nested")
OPENS = ("get_conn", "connect", "begin", "raw_connection", "Session", "get_connection", "connection")
PARTS = ("cursor", "session")


class Connections:
    """Tells transactions apart.

    Args:
        resolver: what names mean.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._parents: dict[Scope, dict[ast.AST, ast.AST]] = {}

    def unit(self, handle: ast.expr, call: ast.Call, scope: Scope) -> Unit | None:
        """Return the transaction that a call through a connection or cursor belongs to; None where it can't be told."""
        opened = self._opened(handle, scope)
        if opened is None:
            return None
        block = self._block(call, scope, opened)
        if block is not None:
            return ("block", block)
        if self._commits_itself(opened, scope):
            return ("alone", call)
        return ("connection", opened, self._commits_before(opened, call, scope))

    def _opened(self, handle: ast.expr, scope: Scope, depth: int = 6) -> ast.Call | None:
        """The call that opened a connection, or the one that a cursor belongs to."""
        found: set[ast.Call | None] = set()
        for node, inner in followed(Value(handle, scope), self._resolver):
            found.add(self._opening(node, inner, depth))
        return found.pop() if len(found) == 1 else None

    def _opening(self, node: ast.expr, scope: Scope, depth: int) -> ast.Call | None:
        if not isinstance(node, ast.Call) or not depth:
            return None
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in PARTS and isinstance(node.func, ast.Attribute):
            return self._opened(node.func.value, scope, depth - 1)
        if name in ("closing", "cast") and node.args:
            return self._opened(node.args[-1], scope, depth - 1)
        if name in BLOCKS and isinstance(node.func, ast.Attribute):
            return self._opened(node.func.value, scope, depth - 1) or node
        return node if name in OPENS else None

    def _block(self, call: ast.Call, scope: Scope, opened: ast.Call) -> ast.AST | None:
        """The ``with`` around a call that begins and commits a transaction of its own."""
        parents = self._parents_in(scope)
        node: ast.AST | None = call
        while node is not None:
            if isinstance(node, ast.With | ast.AsyncWith):
                for item in node.items:
                    if self._begins(item.context_expr, scope, opened):
                        return node
            node = parents.get(node)
        return None

    def _begins(self, item: ast.expr, scope: Scope, opened: ast.Call) -> bool:
        if isinstance(item, ast.Name):
            return self._opened(item, scope) is opened
        is_block = isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in BLOCKS
        return is_block and item is not opened

    def _commits_itself(self, opened: ast.Call, scope: Scope) -> bool:
        """Whether a connection commits each statement by itself."""
        for keyword in opened.keywords:
            value = constant(Value(keyword.value, scope), self._resolver)
            if (keyword.arg, value) in (("autocommit", True), ("isolation_level", "AUTOCOMMIT")):
                return True
        for target, value in _attributes(scope):
            is_on = isinstance(value, ast.Constant) and value.value is True
            if target.attr == "autocommit" and is_on and self._opened(target.value, scope) is opened:
                return True
        return any(self._turns_on(call, inner, opened) for call, inner in scope.body.calls)

    def _turns_on(self, call: ast.Call, scope: Scope, opened: ast.Call) -> bool:
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("set_autocommit", "set_session"):
            return False
        on = [*call.args[-1:], *(keyword.value for keyword in call.keywords if keyword.arg == "autocommit")]
        if not any(isinstance(node, ast.Constant) and node.value is True for node in on):
            return False
        handle = call.args[0] if call.func.attr == "set_autocommit" and len(call.args) > 1 else call.func.value
        return self._opened(handle, scope) is opened

    def _commits_before(self, opened: ast.Call, call: ast.Call, scope: Scope) -> int:
        before = [
            one
            for one, inner in scope.body.calls
            if isinstance(one.func, ast.Attribute)
            and one.func.attr == "commit"
            and (one.lineno, one.col_offset) < (call.lineno, call.col_offset)
            and self._opened(one.func.value, inner) is opened
        ]
        return len(before)

    def _parents_in(self, scope: Scope) -> dict[ast.AST, ast.AST]:
        body = scope.body
        if body not in self._parents:
            nodes = iter(body.nodes)
            self._parents[body] = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
        return self._parents[body]


def _attributes(scope: Scope) -> Iterator[tuple[ast.Attribute, ast.expr]]:
    """Each attribute that a body assigns to, with its value."""
    for node in scope.body.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    yield target, node.value
