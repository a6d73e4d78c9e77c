"""Comparisons in Python that ask for what lies between the two ends of a run's interval."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.source.moments import Moments
from dagproof.source.scopes import Scope
from dagproof.source.sqlfilters import Between, Bound, pairs

_OPERATORS: dict[type[ast.cmpop], str] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_TURNED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}


def compared(scope: Scope, moments: Moments) -> Iterator[tuple[Between, ast.expr]]:
    """Yield each condition in a body that asks for what lies between, with where it is."""
    if scope.kind not in ("function", "lambda"):
        return
    seen: set[ast.AST] = set()
    for node in scope.nodes:
        if isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp | ast.comprehension) and node not in seen:
            leaves = list(_leaves(node))
            seen.update(leaves, _joined(node))
            for between in pairs([bound for leaf in leaves for bound in _bounds(leaf, scope, moments)]):
                yield between, leaves[0]


def pandas_between(call: ast.Call, scope: Scope, moments: Moments) -> Between | None:
    """Return what ``column.between(start, end)`` asks for; None for any other call."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "between" and len(call.args) >= 2):
        return None
    low, high = (moments.of(argument, scope) for argument in call.args[:2])
    if not low or not high or low.is_end or not high.is_end or low.is_day != high.is_day:
        return None
    inclusive = next((keyword.value for keyword in call.keywords if keyword.arg == "inclusive"), None)
    both = inclusive is None or getattr(inclusive, "value", "both") == "both"
    return None if both and low.is_day else Between(0, both)


def _joined(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of ``a and b``, ``a & b``, which all have to hold."""
    yield node
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for value in node.values:
            yield from _joined(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
        yield from (*_joined(node.left), *_joined(node.right))
    elif isinstance(node, ast.comprehension):
        for condition in node.ifs:
            yield from _joined(condition)


def _leaves(node: ast.AST) -> Iterator[ast.Compare]:
    return (part for part in _joined(node) if isinstance(part, ast.Compare))


def _bounds(node: ast.Compare, scope: Scope, moments: Moments) -> Iterator[Bound]:
    sides = [node.left, *node.comparators]
    for left, comparison, right in zip(sides, node.ops, sides[1:], strict=False):
        operator = _OPERATORS.get(type(comparison))
        if operator:
            if moment := moments.of(right, scope):
                yield Bound(ast.unparse(left), operator, moment, 0)
            if moment := moments.of(left, scope):
                yield Bound(ast.unparse(right), _TURNED[operator], moment, 0)
