"""Numbers and durations that are written down: ``60 * 5``, ``timedelta(minutes=5)``, a constant of the module."""

from __future__ import annotations

import ast
import operator

from dagproof.source.names import Resolver
from dagproof.source.values import Value, followed

DURATIONS = frozenset({"datetime.timedelta", "pendulum.duration", "pendulum.Duration"})
_UNITS = {
    "weeks": 604_800.0,
    "days": 86_400.0,
    "hours": 3_600.0,
    "minutes": 60.0,
    "seconds": 1.0,
    "milliseconds": 1e-3,
    "microseconds": 1e-6,
}
_POSITIONS = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
MOST_DEPTH = 8


def seconds(value: Value, resolver: Resolver, depth: int = MOST_DEPTH) -> float | None:
    """Return a number as it is, and a duration in seconds; None where it can't be told."""
    found = list(followed(value, resolver)) if depth else []
    amounts = {_of(one, resolver, depth - 1) for one in found}
    return amounts.pop() if len(amounts) == 1 else None


def _of(value: Value, resolver: Resolver, depth: int) -> float | None:
    node, scope = value
    if isinstance(node, ast.Constant):
        return float(node.value) if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None
    if isinstance(node, ast.BinOp):
        return _calculated(value, node, resolver, depth)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inside = seconds(Value(node.operand, scope), resolver, depth)
        return None if inside is None else -inside
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr == "total_seconds":
        return seconds(Value(function.value, scope), resolver, depth)
    names = resolver.names(function, scope)
    if names in (("int",), ("float",)) and len(node.args) == 1:
        return seconds(Value(node.args[0], scope), resolver, depth)
    return _duration(value, node, resolver, depth) if any(name in DURATIONS for name in names) else None


def _calculated(value: Value, node: ast.BinOp, resolver: Resolver, depth: int) -> float | None:
    left, right = (seconds(Value(side, value.scope), resolver, depth) for side in (node.left, node.right))
    calculate = _OPERATIONS.get(type(node.op))
    if left is None or right is None or calculate is None:
        return None
    try:
        return float(calculate(left, right))
    except (ZeroDivisionError, OverflowError):
        return None


def _duration(value: Value, node: ast.Call, resolver: Resolver, depth: int) -> float | None:
    given = [*zip(_POSITIONS, node.args, strict=False), *((keyword.arg, keyword.value) for keyword in node.keywords)]
    total = 0.0
    for unit, amount in given:
        number = seconds(Value(amount, value.scope), resolver, depth)
        if number is None or unit not in _UNITS:
            return None
        total += number * _UNITS[unit]
    return total
