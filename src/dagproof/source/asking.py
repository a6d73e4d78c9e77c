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
    around = [node for node in ast.walk(place.module.tree) if _contains(node, place.node)]
    functions = [node for node in around if isinstance(node, _Function)]
    if not functions:
        return False
    function = functions[-1]
    tests = [node.test for node in around if isinstance(node, ast.If | ast.While) and _contains(function, node)]
    tests += [node.test for node in around if isinstance(node, ast.IfExp)]
    for node in ast.walk(function):
        if getattr(node, "end_lineno", place.line) < place.line:
            if isinstance(node, ast.If) and isinstance(node.body[-1], _LEAVES):
                tests.append(node.test)
            elif isinstance(node, ast.Try) and any(isinstance(one.body[-1], ast.Return) for one in node.handlers):
                return True
    return any(_asks(test, function) for test in tests)


def _asks(test: ast.expr, function: ast.AST) -> bool:
    for node in (test, *_values(test, function)):
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and part.attr in _ANSWERS:
                return True
    calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
    return any(getattr(called, "id", "") not in _PLAIN for called in calls)


def _values(test: ast.expr, function: ast.AST) -> Iterator[ast.expr]:
    """What the names of a condition are worth, as far as the function itself says so."""
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            set_here = {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
            if names & set_here:
                yield node.value
        elif isinstance(node, ast.NamedExpr) and node.target.id in names:
            yield node.value


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    """Whether one node stands inside of another one, by its lines and columns."""
    if not isinstance(outer, ast.stmt | ast.expr) or outer is inner:
        return False
    begin = (getattr(inner, "lineno", 0), getattr(inner, "col_offset", 0))
    end = (getattr(inner, "end_lineno", 0), getattr(inner, "end_col_offset", 0))
    starts = (outer.lineno, outer.col_offset) <= begin
    return starts and end <= (outer.end_lineno or outer.lineno, outer.end_col_offset or 0)
