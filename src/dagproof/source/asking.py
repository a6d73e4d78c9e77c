"""Code that asks before it does something: a database, or a function of its own, and only goes on if it may."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.source.dagfile import Chain, Place

_ANSWERS = frozenset({"rowcount", "fetchone", "fetchall", "fetchmany", "first", "one_or_none", "scalar"}) | {
    *(
        "get_first",
        "get_records",
        "get_pandas_df",
        "get_df",
        "get",
        "exists",
        "is_file",
        "head_object",
        "check_for_key",
    ),
}
"""What tells what is there: attributes of cursors, hooks and paths."""
_PLAIN = frozenset({"len", "any", "all", "bool", "isinstance", "int", "str", "print", "range", "sum", "min", "max"})
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_asked_first(places: Chain) -> bool:
    """Say whether one of the calls on a way only happens if something that was asked for said so."""
    return any(_is_asked(place) for place in places)


def _is_asked(place: Place) -> bool:
    function = function_around(place)
    if function is None:
        return False
    tries = (node for node in ast.walk(function) if isinstance(node, ast.Try) and _ends_before(node, place))
    if any(isinstance(one.body[-1], ast.Return) for node in tries for one in node.handlers):
        return True
    return any(_asks(test, function) for test in tests_before(place, function))


def function_around(place: Place) -> ast.AST | None:
    """Return the function that a place is in, the innermost one."""
    around = [
        node for node in ast.walk(place.module.tree) if isinstance(node, _Function) and contains(node, place.node)
    ]
    return around[-1] if around else None


def tests_before(place: Place, function: ast.AST) -> list[ast.expr]:
    """Return the conditions that a place depends on: those around it, and those that leave before it."""
    tests: list[ast.expr] = []
    for node in ast.walk(function):
        if (isinstance(node, ast.If | ast.While | ast.IfExp) and contains(node, place.node)) or (
            isinstance(node, ast.If) and _ends_before(node, place) and isinstance(node.body[-1], _LEAVES)
        ):
            tests.append(node.test)
    return tests


def _ends_before(node: ast.stmt, place: Place) -> bool:
    return (node.end_lineno or place.line) < place.line


def _asks(test: ast.expr, function: ast.AST) -> bool:
    for node in (test, *values_of(test, function)):
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and part.attr in _ANSWERS:
                return True
    calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
    return any(getattr(called, "id", "") not in _PLAIN for called in calls)


def values_of(test: ast.expr, function: ast.AST) -> Iterator[ast.expr]:
    """Yield what the names of a condition are worth, as far as the function itself says so."""
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            set_here = {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
            if names & set_here:
                yield node.value
        elif isinstance(node, ast.NamedExpr) and node.target.id in names:
            yield node.value


def contains(outer: ast.AST, inner: ast.AST) -> bool:
    """Say whether one node stands inside of another one, by its lines and columns."""
    if not isinstance(outer, ast.stmt | ast.expr) or outer is inner:
        return False
    begin = (getattr(inner, "lineno", 0), getattr(inner, "col_offset", 0))
    end = (getattr(inner, "end_lineno", 0), getattr(inner, "end_col_offset", 0))
    starts = (outer.lineno, outer.col_offset) <= begin
    return starts and end <= (outer.end_lineno or outer.lineno, outer.end_col_offset or 0)
