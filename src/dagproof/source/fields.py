"""Fields that tell when a row was written: ``{"loaded_at": now()}``, ``row.updated_at = now()``, ``assign(…)``."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dagproof.source.sqlclocks import AUDIT

COLUMNS = ("withColumn", "with_column", "insert")
"""Methods that are given the name of a column, and its value."""
MOST_STEPS = 6


def field_of(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> str:
    """Return the name of such a field where a value goes straight into one; empty where it doesn't."""
    child, parent = node, parents.get(node)
    for _ in range(MOST_STEPS):
        found = _name(child, parent)
        if found is not None:
            return found if AUDIT.search(found) else ""
        if not isinstance(
            parent, ast.Call | ast.Attribute | ast.keyword | ast.JoinedStr | ast.FormattedValue | ast.BinOp
        ):
            return ""
        child, parent = parent, parents.get(parent)
    return ""


def _name(child: ast.AST, parent: ast.AST | None) -> str | None:
    if isinstance(parent, ast.Dict) and child in parent.values:
        key = parent.keys[parent.values.index(child)]
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
    if isinstance(parent, ast.keyword) and parent.arg:
        return parent.arg if AUDIT.search(parent.arg) else None
    if isinstance(parent, ast.Assign) and child is parent.value:
        target = parent.targets[0]
        if isinstance(target, ast.Attribute):
            return target.attr
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            return str(target.slice.value)
        return ""
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr in COLUMNS:
        texts = [one.value for one in parent.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return texts[0] if texts else None
    return None
