"""Loads that only add what is not there yet: after a look-up, under a unique key that refuses rows, filtered rows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import IntEnum

from dagproof.source.asking import contains, function_around, tests_before, values_of
from dagproof.source.dagfile import Chain, Place
from dagproof.source.names import Resolver
from dagproof.source.scopes import Scope

REFUSED = re.compile(r"Unique|Integrity|Duplicate|AlreadyExists|Conflict|ConditionalCheckFailed")
ASKS = frozenset({"rowcount", "fetchone", "first", "one_or_none", "scalar", "scalar_one_or_none", "find_one"}) | {
    *("count_documents", "fetchval", "fetchrow", "get_first"),
}
"""Mostly they are asked whether something is there."""
READS = frozenset(
    {"fetchall", "fetchmany", "fetch", "get_records", "get_pandas_df", "get_df", "read_sql", "scalars"}
) | {
    *("read_sql_query", "find", "all", "to_dataframe", "result", "exists", "is_file"),
}
"""Mostly they read what a load works with, but they may ask as well."""
NAMED = re.compile(
    r"exist|known|already|loaded|done|seen|is_new|processed|duplicate|has_|is_there|present|last_(?:id|date|run)",
    re.IGNORECASE,
)
MOST_DEPTH = 3


class Guard(IntEnum):
    """How sure it is that a load leaves out what is there already."""

    NONE = 0
    PERHAPS = 1
    SURE = 2


def guard_of(way: Chain, target: str, resolver: Resolver) -> Guard:
    """Return what stands before a load on the way to it.

    Args:
        way: the calls that lead to it, it last.
        target: the table that it loads; ``?`` where that is not known.
        resolver: what names mean.
    """
    return max((_of_place(place, target, resolver) for place in way), default=Guard.NONE)


def _of_place(place: Place, target: str, resolver: Resolver) -> Guard:
    function: ast.AST | None = function_around(place)
    if function is None and place.module.is_script:
        function = place.module.tree
    if function is None:
        return Guard.NONE
    if _is_refused(place, function):
        return Guard.SURE
    found = [_of_test(test, function, place, target, resolver) for test in tests_before(place, function)]
    found.append(_of_rows(place, function, target))
    return max(found, default=Guard.NONE)


def _is_refused(place: Place, function: ast.AST) -> bool:
    """Whether an error that a unique key raises is caught around it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Try) and any(one is place.node or contains(one, place.node) for one in node.body):
            kinds = [ast.unparse(handler.type) for handler in node.handlers if handler.type]
            if any(REFUSED.search(kind) for kind in kinds):
                return True
        if isinstance(node, ast.With | ast.AsyncWith) and contains(node, place.node):
            items = [ast.unparse(item.context_expr) for item in node.items]
            if any("suppress" in item and REFUSED.search(item) for item in items):
                return True
    return False


def _of_test(test: ast.expr, function: ast.AST, place: Place, target: str, resolver: Resolver) -> Guard:
    nodes = [test, *values_of(test, function)]
    if _is_what_is_loaded(test, place.node):
        return Guard.NONE
    found = [_of_look_up(node, function, target) for node in nodes]
    for call in (part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        inside = [_body(made) for made in _made(call, place, resolver)]
        found += [_of_look_up(body, body, target) for body in inside]
        found.append(Guard.PERHAPS if NAMED.search(name) else Guard.NONE)
    named = [part.id for part in ast.walk(test) if isinstance(part, ast.Name)]
    found.append(Guard.PERHAPS if any(NAMED.search(name) for name in named) else Guard.NONE)
    return max(found)


def _is_what_is_loaded(test: ast.expr, load: ast.AST) -> bool:
    """Whether a test only asks whether there is anything to load: ``if rows:``, ``if not df.empty:``."""
    tested = test.operand if isinstance(test, ast.UnaryOp) else test
    if isinstance(tested, ast.Compare):
        tested = tested.left
    if isinstance(tested, ast.Call) and getattr(tested.func, "id", "") == "len" and tested.args:
        tested = tested.args[0]
    while isinstance(tested, ast.Attribute):
        tested = tested.value
    loaded = {part.id for part in ast.walk(load) if isinstance(part, ast.Name)}
    return isinstance(tested, ast.Name) and tested.id in loaded


def _of_look_up(node: ast.AST, function: ast.AST, target: str) -> Guard:
    """What it means that something asks a database: does it ask for the rows that are loaded?"""
    asked = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    if not asked & (ASKS | READS):
        return Guard.NONE
    selects = list(_selects(function))
    if any(re.search(rf"\b{re.escape(target)}\b", text, re.IGNORECASE) for text in selects):
        return Guard.SURE
    if selects and target != "?":
        return Guard.NONE
    return Guard.SURE if asked & ASKS and not selects else Guard.PERHAPS


def _selects(function: ast.AST) -> Iterator[str]:
    """The queries that are written in a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr):
            text = ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if re.search(r"\bSELECT\b", text, re.IGNORECASE) and not re.search(r"\bINSERT\b", text, re.IGNORECASE):
            yield text


def _of_rows(place: Place, function: ast.AST, target: str) -> Guard:
    """Whether the rows are those that are not in something: ``[r for r in rows if r.id not in known]``, ``~isin``."""
    if not isinstance(place.node, ast.Call):
        return Guard.NONE
    nodes: list[ast.AST] = [*place.node.args, *(keyword.value for keyword in place.node.keywords)]
    if isinstance(place.node.func, ast.Attribute):
        nodes.append(place.node.func.value)
    for _ in range(MOST_DEPTH):
        if any(_leaves_out(part) for node in nodes for part in ast.walk(node)):
            known = any(re.search(rf"\b{re.escape(target)}\b", text, re.IGNORECASE) for text in _selects(function))
            return Guard.SURE if known else Guard.PERHAPS
        nodes = [value for node in nodes if isinstance(node, ast.expr) for value in values_of(node, function)]
    return Guard.NONE


def _leaves_out(node: ast.AST) -> bool:
    if isinstance(node, ast.comprehension):
        return any(
            isinstance(op, ast.NotIn) for one in node.ifs for part in ast.walk(one) for op in getattr(part, "ops", ())
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return any(getattr(part, "attr", "") == "isin" for part in ast.walk(node))
    return isinstance(node, ast.Constant) and node.value in ("left_anti", "leftanti", "anti", "left_only")


def _made(call: ast.Call, place: Place, resolver: Resolver) -> Iterator[Scope]:
    """The functions of the project that a call in the same module means, as far as their scope is at hand."""
    for scope, inner in _scopes_of(place.module.scope, call):
        for name in resolver.names(call.func, inner):
            made = scope.module.project.definitions.get(name)
            if made and made.kind == "function":
                yield made


def _scopes_of(scope: Scope, call: ast.Call) -> Iterator[tuple[Scope, Scope]]:
    for one, inner in scope.calls:
        if one is call:
            yield scope, inner
    for child in scope.children:
        yield from _scopes_of(child, call)


def _body(made: Scope) -> ast.AST:
    return made.node
