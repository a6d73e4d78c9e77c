"""Calls that are given both ends of the run's interval as bounds: ``since=start, until=end``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dagproof.source.moments import WORDS, Moment, Moments, with_moments
from dagproof.source.names import Resolver
from dagproof.source.scopes import Scope
from dagproof.source.strings import texts
from dagproof.source.values import Value, dictionary

LOW = re.compile(r"since|from|start|after|begin|min|gte?$|lower|low$|left|oldest", re.IGNORECASE)
HIGH = re.compile(r"until|to$|to_|till|end|before|stop|max|lte?$|upper|high$|right|latest|newest", re.IGNORECASE)
_KEYED = re.compile(r"([A-Za-z][\w.-]*)[\"']?\s*[=:\s]\s*[\"']?(dagproof_(?:start|end)_(?:time|day))")
_NO_BOUNDS = frozenset({"timedelta", "strftime", "format", "isoformat", "log", "dict", "Param"})


def passed(call: ast.Call, scope: Scope, moments: Moments, resolver: Resolver) -> str:
    """Return how a call that is given both ends is told; empty where it is not given them."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _NO_BOUNDS:
        return ""
    given = dict(_named(call, scope, moments, resolver))
    low = next((key for key, moment in given.items() if not moment.is_end and LOW.search(key)), None)
    high = next((key for key, moment in given.items() if moment.is_end and HIGH.search(key)), None)
    if low and high and given[low].is_day == given[high].is_day:
        return f"{name}() gets the run's start as {low} and its end as {high}"
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        for text in texts(Value(argument, scope), resolver, stand_in=moments.word):
            if found := _in_text(with_moments(text.text)):
                return f"{name}() gets the run's start as {found[0]} and its end as {found[1]}"
    return ""


def _named(call: ast.Call, scope: Scope, moments: Moments, resolver: Resolver) -> Iterator[tuple[str, Moment]]:
    """What is a moment among the arguments, by their names, by those of parameters, and in dictionaries."""
    for name, node in [*_by_position(call, scope, resolver), *((one.arg, one.value) for one in call.keywords)]:
        if name and (moment := moments.of(node, scope)):
            yield name, moment
        elif isinstance(node, ast.Dict | ast.Name | ast.BinOp):
            for key, value in dictionary(Value(node, scope), resolver).known.items():
                if moment := moments.of(*value):
                    yield key, moment


def _by_position(call: ast.Call, scope: Scope, resolver: Resolver) -> Iterator[tuple[str, ast.expr]]:
    names: list[str] = []
    for name in resolver.names(call.func, scope):
        made = resolver.project.definitions.get(name)
        arguments = getattr(made.node, "args", None) if made else None
        if isinstance(arguments, ast.arguments):
            names = [one.arg for one in (*arguments.posonlyargs, *arguments.args) if one.arg not in ("self", "cls")]
    for number, node in enumerate(call.args):
        yield (names[number] if number < len(names) else ""), node


def _in_text(text: str) -> tuple[str, str] | None:
    """The names that both ends stand behind in a command, an address or a document."""
    low = high = None
    for found in _KEYED.finditer(text):
        moment, key = WORDS[found[2]], found[1]
        if not moment.is_end and LOW.search(key):
            low = key
        elif moment.is_end and HIGH.search(key):
            high = key
    return (low, high) if low and high else None
