"""What draws at random, in each language."""

from __future__ import annotations

import ast
import re

from dagproof.source import shell, sqltext, templates
from dagproof.source.clocks import DRAWS, NUMPY_DRAWS, UNSEEDED, UNSTEADY
from dagproof.source.names import Names
from dagproof.source.project import enclosing
from dagproof.source.readings import Source
from dagproof.source.scopes import Scope

HASH = "hash()"
"""Of something that may hold text: only then is it another one in each process."""


SAMPLES = re.compile(r"pandas\.(?:read_\w+|DataFrame)\(\)(?:\.\w+(?:\(\))?)*\.sample$")


def draw_shown(call: ast.Call, scope: Scope, names: Names) -> str | None:
    """Return how a call that draws at random is told; None for any other call."""
    for name in names:
        if name in UNSTEADY or (name in UNSEEDED and not (call.args or call.keywords)):
            return f"{name}()"
        if SAMPLES.match(name) and not any(keyword.arg in ("random_state", None) for keyword in call.keywords):
            return f"{name}()"
        if name in DRAWS and not _is_seeded(scope, "seed"):
            return f"{name}()"
        if name in NUMPY_DRAWS and not _is_seeded(scope, "seed"):
            return f"{name}()"
    if names == ("hash",) and call.args and scope.body.name != "__hash__":
        is_number = _is_number(call.args[0]) or _counts(call.args[0], scope)
        return "hash() of a text" if _is_text(call.args[0]) else None if is_number else HASH
    return None


def _is_seeded(scope: Scope, method: str) -> bool:
    """Whether the generator that all share gets a fixed seed in a body around the call, or in its module."""
    for one in enclosing(scope):
        for call, _ in one.calls:
            function = call.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name == method and call.args:
                return True
    return False


def _is_number(node: ast.expr) -> bool:
    """Whether an expression is made of numbers, whose hash is always the same."""
    if isinstance(node, ast.Tuple):
        return all(_is_number(part) for part in node.elts)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("int", "float", "len")
    return isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes)


def _counts(node: ast.expr, scope: Scope) -> bool:
    """Whether it is the number of a row: of ``iterrows()``, ``enumerate(…)``, ``range(…)``."""
    if not isinstance(node, ast.Name):
        return False
    for loop in scope.body.nodes:
        if isinstance(loop, ast.For | ast.comprehension) and isinstance(loop.iter, ast.Call):
            function = loop.iter.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            target = loop.target
            first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else None
            is_first = isinstance(first, ast.Name) and first.id == node.id and name in ("iterrows", "enumerate")
            if is_first or (name == "range" and isinstance(target, ast.Name) and target.id == node.id):
                return True
    return False


def _is_text(node: ast.expr) -> bool:
    """Whether an expression is surely text, whose hash is another one in each process."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr")


CHANCE = Source(draw_shown, sqltext.draws, templates.draws, shell.draws)
