"""Writers of Spark that replace a whole partitioned table, where the rows are those of one date."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.source.dagfile import Chain, DagFile, Site, Task
from dagproof.source.names import Resolver
from dagproof.source.project import text_of_module
from dagproof.source.scopes import Scope
from dagproof.source.strings import PLACEHOLDER, text_of
from dagproof.source.values import Value, constant, followed, given

WRITES = frozenset({"parquet", "save", "saveAsTable", "json", "csv", "orc", "avro", "text", "delta"})
SCOPED = ("partitionOverwriteMode", "partition-overwrite-mode", "replaceWhere", "overwritePartitions")
"""Any of these words in a file makes an overwrite replace partitions only."""
LIMITS = ("where", "filter", "withColumn", "select", "selectExpr", "sql")
MOST_STEPS = 60


@dataclass(frozen=True)
class Overwrite:
    """One such write: what it writes to, by which columns it is partitioned, and the one that has a single value."""

    to: str
    columns: tuple[str, ...]
    limited: str
    places: Chain
    task: Task | None


def overwrites(dagfile: DagFile) -> Iterator[Overwrite]:
    """Yield each write that surely deletes the partitions of other dates."""
    for site in dagfile.sites("run"):
        function = site.call.func
        if isinstance(function, ast.Attribute) and function.attr in WRITES:
            found = _of_write(site, dagfile.resolver)
            if found and not _is_scoped(dagfile, site):
                yield found


def _is_scoped(dagfile: DagFile, site: Site) -> bool:
    """Whether the file, or one that it imports from, speaks of replacing partitions only."""
    project = dagfile.resolver.project
    files = {site.scope.module.path, *project.reached(dagfile.module.path)}
    return any(word in text_of_module(project.module(path)) for path in files for word in SCOPED)


def _of_write(site: Site, resolver: Resolver) -> Overwrite | None:
    steps = list(_steps(site.call))
    start = next((node for node in steps if isinstance(node, ast.Attribute) and node.attr == "write"), None)
    if start is None or _mode(site, steps, resolver) != "overwrite":
        return None
    columns = _columns(site, steps, resolver)
    target = next(iter(site.call.args), None)
    frame = list(_behind(Value(start.value, site.scope), resolver))
    limited = next((name for name in columns if any(_has_one_value(name, one, resolver) for one in frame)), "")
    if not limited or (target is not None and _differs(target, site.scope, resolver)):
        return None
    to = ast.unparse(target) if target is not None else "the data"
    return Overwrite(to, columns, limited, (*site.body.chain, site.place), site.body.task)


def _steps(node: ast.expr) -> Iterator[ast.expr]:
    """The calls and attributes in a chain, the last one first."""
    while isinstance(node, ast.Attribute | ast.Call):
        yield node
        node = node.value if isinstance(node, ast.Attribute) else node.func


def _mode(site: Site, steps: list[ast.expr], resolver: Resolver) -> object:
    own = given(site.call, site.scope, resolver, "mode", None)
    if own is not None:
        return own
    for call in _calls(steps, "mode"):
        return constant(Value(call.args[0], site.scope), resolver) if call.args else ...
    return None


def _columns(site: Site, steps: list[ast.expr], resolver: Resolver) -> tuple[str, ...]:
    nodes = [argument for call in _calls(steps, "partitionBy") for argument in call.args]
    nodes += [keyword.value for keyword in site.call.keywords if keyword.arg == "partitionBy"]
    found: list[str] = []
    for node in nodes:
        for one in followed(Value(node, site.scope), resolver):
            items = one.node.elts if isinstance(one.node, ast.List | ast.Tuple) else [one.node]
            found += [text for item in items if isinstance(text := constant(Value(item, one.scope), resolver), str)]
    return tuple(found)


def _calls(steps: list[ast.expr], name: str) -> Iterator[ast.Call]:
    for node in steps:
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name:
            yield node


def _behind(value: Value, resolver: Resolver) -> Iterator[Value]:
    """The calls that a frame is made by, through the names that it had on the way; nothing where it may be others."""
    waiting = [value]
    for _ in range(MOST_STEPS):
        if not waiting:
            return
        node, scope = waiting.pop()
        if isinstance(node, ast.Call):
            yield Value(node, scope)
            if isinstance(node.func, ast.Attribute):
                waiting.append(Value(node.func.value, scope))
        elif isinstance(node, ast.Name):
            found = list(followed(Value(node, scope), resolver, 1))
            waiting += [one for one in found if one.node is not node] if len(found) == 1 else []


def _has_one_value(column: str, value: Value, resolver: Resolver) -> bool:
    """Whether a call leaves only the rows of one value of a column, which somebody gives: ``where(dt == ds)``."""
    call = value.node
    name = getattr(call.func, "attr", "") if isinstance(call, ast.Call) else ""
    if not isinstance(call, ast.Call) or name not in LIMITS:
        return False
    if name == "withColumn":
        is_it = bool(call.args) and constant(Value(call.args[0], value.scope), resolver) == column
        made = call.args[1] if len(call.args) > 1 else None
        is_literal = isinstance(made, ast.Call) and getattr(made.func, "attr", getattr(made.func, "id", "")) == "lit"
        return is_it and is_literal and isinstance(made, ast.Call) and _is_given(made.args[0] if made.args else None)
    return any(_is_limit(argument, column, value.scope, resolver) for argument in call.args)


def _is_limit(node: ast.expr, column: str, scope: Scope, resolver: Resolver) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
        return any(_is_limit(side, column, scope, resolver) for side in (node.left, node.right))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        sides = [node.left, node.comparators[0]]
        return any(_is_column(one, column) and _is_given(other) for one, other in (sides, sides[::-1]))
    text = text_of(node, scope, resolver)
    if text is None or PLACEHOLDER not in text:
        return False
    compact = text.replace(" ", "").replace("'", "").replace('"', "").replace("`", "")
    is_or = " or " in text.lower()
    return f"{column}={PLACEHOLDER}" in compact and f"!{column}={PLACEHOLDER}" not in compact and not is_or


def _is_column(node: ast.expr, column: str) -> bool:
    """``col("dt")``, ``df.dt``, ``df["dt"]``."""
    if isinstance(node, ast.Call):
        first = node.args[0] if node.args else None
        is_col = getattr(node.func, "attr", getattr(node.func, "id", "")) in ("col", "column")
        return is_col and isinstance(first, ast.Constant) and first.value == column
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == column
    return isinstance(node, ast.Attribute) and node.attr == column


def _is_given(node: ast.expr | None) -> bool:
    """Whether it is no constant of the code: a name, or what an argument or a parameter of the run is."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name == "get" or (name in ("lit", "to_date", "date", "str") and any(map(_is_given, node.args)))
    return isinstance(node, ast.Name | ast.Attribute | ast.JoinedStr | ast.Subscript)


def _differs(target: ast.expr, scope: Scope, resolver: Resolver) -> bool:
    """Whether the target's own name is not known as a whole: it may hold the date."""
    text = text_of(target, scope, resolver)
    return text is None or PLACEHOLDER in text
