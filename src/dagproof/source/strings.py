"""Texts in another language inside of Python: constants, f-strings, ``.format`` and ``.sql`` files."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from dagproof.source.dagfile import Place
from dagproof.source.names import Names, Resolver
from dagproof.source.scopes import Scope
from dagproof.source.values import Bound, Value, followed

PLACEHOLDER = "_p_"
SQL = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*"
    r"(?:SELECT\s|INSERT\s+(?:INTO|OVERWRITE)\s|UPDATE\s+(?:ONLY\s+)?\S+\s+(?:(?:AS\s+)?\w+\s+)?(?:SET|JOIN)\s"
    r"|DELETE\s+FROM\s|MERGE\s+INTO\s|TRUNCATE\s|COPY\s+\S+"
    r"|REPLACE\s+INTO\s|WITH\s+(?:RECURSIVE\s+)?\w+\s*(?:\([^)]*\)\s*)?AS\s*\(|CREATE\s+(?:OR\s+REPLACE\s+)?\w+\s|DROP\s+\w+\s|ALTER\s+TABLE\s|BEGIN\s*;|CALL\s+\S+\()",
    re.IGNORECASE | re.DOTALL,
)
MOST_DEPTH = 6
MOST_RETURNS = 3
KEEP_TEXT = frozenset(
    ("format", "format_map", "strip", "lstrip", "rstrip", "replace", "removesuffix", "removeprefix", "encode")
) | frozenset(("substitute", "safe_substitute", "expandtabs", "bindparams", "as_string"))
WRAPPERS = frozenset(
    {
        "textwrap.dedent",
        "inspect.cleandoc",
        "sqlalchemy.text",
        "sqlalchemy.sql.text",
        "sqlalchemy.sql.expression.text",
        "string.Template",
        "psycopg.sql.SQL",
        "psycopg2.sql.SQL",
    }
)
StandIn: TypeAlias = Callable[[ast.expr, Scope], str | None]
"""What is written for an expression that is no known text; None for the placeholder."""


def _no_stand_in(node: ast.expr, scope: Scope) -> str | None:
    return None


@dataclass(frozen=True)
class Text:
    """A text, and where it stands."""

    text: str
    place: Place
    key: str = ""
    """The argument or dictionary key that it is given under."""

    def line(self, offset: int) -> int:
        """Return the line of a position in the text, as exactly as the way it is written allows."""
        node = self.place.node
        lines = (getattr(node, "end_lineno", None) or 1) - self.place.line
        return self.place.line + (self.text.count("\n", 0, offset) if lines == self.text.count("\n") else 0)

    @property
    def is_sql(self) -> bool:
        """Whether it begins as SQL does."""
        return bool(SQL.match(self.text))


def texts(
    value: Value, resolver: Resolver, key: str = "", depth: int = MOST_DEPTH, stand_in: StandIn = _no_stand_in
) -> Sequence[Text]:
    """Return every text that an argument holds: itself, or what is in its lists and dictionaries."""
    node, scope = value
    if isinstance(node, ast.Constant):
        return (Text(node.value, Place(scope.module, node), key),) if isinstance(node.value, str) and depth else ()
    if depth < MOST_DEPTH or stand_in is not _no_stand_in:
        return list(_texts(value, resolver, key, depth, stand_in))
    asked = ("texts", node, scope, key)
    found = resolver.remembered.get(asked)
    if found is None:
        found = resolver.remembered[asked] = tuple(_texts(value, resolver, key, depth, stand_in))
    return cast("Sequence[Text]", found)


def _texts(value: Value, resolver: Resolver, key: str, depth: int, stand_in: StandIn) -> Iterator[Text]:
    if depth == 0:
        return
    node, scope = value
    if isinstance(node, ast.Name | ast.Attribute):
        for one in followed(value, resolver):
            if not isinstance(one.node, ast.Name | ast.Attribute):
                yield from texts(one, resolver, key, depth - 1, stand_in)
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        for item in node.elts:
            yield from texts(Value(item, scope), resolver, key, depth - 1, stand_in)
    elif isinstance(node, ast.Dict):
        for name, item in zip(node.keys, node.values, strict=True):
            inner = str(name.value) if isinstance(name, ast.Constant) else key
            yield from texts(Value(item, scope), resolver, inner, depth - 1, stand_in)
    elif isinstance(node, ast.IfExp):
        yield from texts(Value(node.body, scope), resolver, key, depth - 1, stand_in)
        yield from texts(Value(node.orelse, scope), resolver, key, depth - 1, stand_in)
    else:
        text = text_of(node, scope, resolver, stand_in)
        if text is not None:
            yield Text(text, Place(scope.module, node), key)
        elif isinstance(node, ast.Call) and isinstance(resolver, Bound):
            for one in _returned(node, scope, resolver):
                yield from texts(one, resolver, key, depth - 1, stand_in)


def _returned(node: ast.Call, scope: Scope, resolver: Resolver) -> Iterator[Value]:
    """What a plain function of the project gives."""
    for name in resolver.names(node.func, scope):
        made = resolver.project.definitions.get(name)
        if made and made.kind in ("function", "lambda") and not made.decorators:
            yield from (Value(result, made) for result in made.returns[:MOST_RETURNS])


def text_of(
    node: ast.expr, scope: Scope, resolver: Resolver, stand_in: StandIn = _no_stand_in, depth: int = MOST_DEPTH
) -> str | None:
    """Return a text as far as it is known, with a placeholder for what is not; None for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if depth == 0:
        return None

    def inner(part: ast.expr) -> str | None:
        return text_of(part, scope, resolver, stand_in, depth - 1)

    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part, scope, stand_in, inner) for part in node.values)
    if isinstance(node, ast.Name | ast.Attribute):
        found = list(followed(Value(node, scope), resolver))
        one = found[0].node if len(found) == 1 else node
        return None if one is node else text_of(one, found[0].scope, resolver, stand_in, depth - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return _added(node, scope, stand_in, inner)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in KEEP_TEXT:
        return inner(node.func.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join" and node.args:
        return _joined(node.func.value, node.args[0], scope, resolver, inner)
    if isinstance(node, ast.Call) and node.args and _wraps_text(resolver.names(node.func, scope)):
        return inner(node.args[0])
    return None


def _joined(
    separator: ast.expr, given: ast.expr, scope: Scope, resolver: Resolver, inner: Callable[[ast.expr], str | None]
) -> str | None:
    """A text made by ``", ".join([…])`` of a list that is written down."""
    between = inner(separator)
    if between is None:
        return None
    for one in followed(Value(given, scope), resolver):
        if isinstance(one.node, ast.List | ast.Tuple) and one.scope is scope:
            return between.join(inner(part) or PLACEHOLDER for part in one.node.elts)
        if isinstance(one.node, ast.List | ast.Tuple):
            known = (text_of(part, one.scope, resolver, depth=2) for part in one.node.elts)
            return between.join(text or PLACEHOLDER for text in known)
    return None


def _added(node: ast.BinOp, scope: Scope, stand_in: StandIn, inner: Callable[[ast.expr], str | None]) -> str | None:
    parts: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Mod):
        if isinstance(left.op, ast.Add):
            parts.append(left.right)
        left = left.left
    known = [inner(part) for part in (left, *reversed(parts))]
    if all(text is None for text in known):
        return None
    shown = [stand_in(part, scope) for part in (left, *reversed(parts))]
    return "".join(text if text is not None else word or PLACEHOLDER for text, word in zip(known, shown, strict=True))


def _wraps_text(names: Names) -> bool:
    """Whether a function gives the text that it is given, but for its look."""
    return any(name in WRAPPERS for name in names)


def _part(part: ast.expr, scope: Scope, stand_in: StandIn, inner: Callable[[ast.expr], str | None]) -> str:
    if isinstance(part, ast.FormattedValue):
        known = inner(part.value)
        return known if known is not None else stand_in(part.value, scope) or PLACEHOLDER
    return str(part.value) if isinstance(part, ast.Constant) else PLACEHOLDER


looked_for: ContextVar[set[Path] | None] = ContextVar("looked_for", default=None)
"""Where somebody wants to know it: the files that texts name, whether they are there or not."""


def file_text(text: Text, folders: list[Path], suffixes: tuple[str, ...]) -> tuple[Path, str] | None:
    """Return the file that a text names, with its content, where it is one with these suffixes in these folders."""
    name = text.text.strip()
    if not name.endswith(suffixes) or "\n" in name or "{{" in name or PLACEHOLDER in name:
        return None
    tried = looked_for.get()
    for folder in folders:
        path = folder / name.lstrip("/")
        if tried is not None:
            tried.add(path)
        try:
            if path.is_file():
                return path, path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
    return None
