"""What becomes of a value: whether it goes anywhere but into a log line, a pause, or a duration."""

from __future__ import annotations

import ast
from collections.abc import Callable
from enum import IntEnum

from dagproof.source.names import Resolver
from dagproof.source.scopes import Scope

LOG_METHODS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
LOGGERS = ("log", "logger", "logging")
PASSED_ON = frozenset({"str", "int", "float", "round", "format", "repr", "abs", "min", "max", "divmod", "isinstance"})
PAUSES = frozenset({"time.sleep", "asyncio.sleep"})
TEMPORARY_ENDS = (".part", ".partial", ".tmp", ".temp", "~")
MOST_NAMES = 6


class Fate(IntEnum):
    """What becomes of a value, the harmless first."""

    HARMLESS = 0
    """It is logged, printed, waited for, compared with another reading, part of a temporary file's name, or dropped."""
    DURATION = 1
    """The time between two readings goes somewhere, but for being compared with a limit."""
    USED = 2


class Usage:
    """Tells what becomes of values in one body of code.

    Args:
        scope: the body.
        resolver: what names mean.
        is_reading: whether an expression is a reading of the same source.
    """

    def __init__(self, scope: Scope, resolver: Resolver, is_reading: Callable[[ast.expr, Scope], bool]) -> None:
        self.scope = scope
        self.resolver = resolver
        self.is_reading = is_reading
        self.parents = {child: node for node in scope.nodes for child in ast.iter_child_nodes(node)}

    def fate(self, node: ast.AST, names: int = MOST_NAMES, *, duration: bool = False) -> Fate:
        """Return what becomes of the value of an expression."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.keyword):
            node, parent = parent, self.parents.get(parent)
        if isinstance(parent, ast.Expr):
            return Fate.HARMLESS
        if isinstance(parent, ast.Call):
            return self._of_argument(node, parent, names, duration)
        if isinstance(parent, ast.BinOp):
            return self._of_operand(node, parent, names, duration)
        if isinstance(parent, ast.Compare):
            others = [side for side in (parent.left, *parent.comparators) if side is not node]
            limits = all(self.is_reading(side, self.scope) for side in others)
            return Fate.HARMLESS if limits or duration else Fate.USED
        if isinstance(parent, ast.Tuple) and not isinstance(self.parents.get(parent), ast.BinOp):
            return Fate.USED
        if isinstance(parent, ast.IfExp) and node is parent.test:
            return Fate.USED
        passes = ast.JoinedStr | ast.FormattedValue | ast.Attribute | ast.UnaryOp | ast.IfExp | ast.Tuple | ast.Await
        if isinstance(parent, ast.JoinedStr) and (names_temporary_file(parent) or self._is_removed(parent)):
            return Fate.HARMLESS
        if isinstance(parent, passes):
            return self.fate(parent, names, duration=duration)
        if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            return self._of_assigned(parent, names, duration)
        return Fate.DURATION if duration else Fate.USED

    def _is_removed(self, text: ast.expr) -> bool:
        """Whether a text names a file or folder that the same body removes in the end, and does not return."""
        assigned = self.parents.get(text)
        while isinstance(assigned, ast.Call):  # Path(f"…")
            assigned = self.parents.get(assigned)
        if not isinstance(assigned, ast.Assign) or not isinstance(assigned.targets[0], ast.Name):
            return False
        loads = self._loads(assigned.targets[0].id)
        returned = [name for one in self.scope.returns for name in ast.walk(one)]
        return any(self._removes(load) for load in loads) and not any(load in returned for load in loads)

    def _removes(self, name: ast.Name) -> bool:
        parent = self.parents.get(name)
        if isinstance(parent, ast.Attribute):
            return parent.attr in ("unlink", "rmdir") and isinstance(self.parents.get(parent), ast.Call)
        if not isinstance(parent, ast.Call) or name not in parent.args[:1]:
            return False
        called = self.resolver.names(parent.func, self.scope)
        outer = self.parents.get(parent)
        is_path = isinstance(outer, ast.Attribute) and outer.attr in ("unlink", "rmdir")
        return is_path or any(one in ("os.remove", "os.unlink", "os.rmdir", "shutil.rmtree") for one in called)

    def _of_argument(self, node: ast.AST, call: ast.Call, names: int, duration: bool) -> Fate:
        if node is call.func:
            return self.fate(call, names, duration=duration)
        if is_log(call):
            return Fate.HARMLESS
        called = self.resolver.names(call.func, self.scope)
        if any(name in PAUSES for name in called):
            return Fate.HARMLESS
        is_format = isinstance(call.func, ast.Attribute) and call.func.attr == "format"
        if is_format or any(name in PASSED_ON for name in called):
            return self.fate(call, names, duration=duration)
        return Fate.DURATION if duration else Fate.USED

    def _of_operand(self, node: ast.AST, operation: ast.BinOp, names: int, duration: bool) -> Fate:
        other = operation.right if node is operation.left else operation.left
        between = isinstance(operation.op, ast.Sub) and self.is_reading(other, self.scope)
        return self.fate(operation, names, duration=duration or between)

    def _of_assigned(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr, names: int, duration: bool) -> Fate:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        fates = [self.fate(node, names - 1, duration=duration)] if isinstance(node, ast.NamedExpr) else []
        parts = [part for one in targets for part in (one.elts if isinstance(one, ast.Tuple | ast.List) else [one])]
        for target in parts:
            local = self.scope.kind in ("function", "lambda") and names > 0
            if not local or not isinstance(target, ast.Name) or target.id in self.scope.outer_names:
                return Fate.DURATION if duration else Fate.USED
            fates += [self.fate(load, names - 1, duration=duration) for load in self._loads(target.id)]
        return max(fates, default=Fate.HARMLESS)

    def _loads(self, name: str) -> list[ast.Name]:
        nodes = iter(self.scope.nodes)
        return [n for n in nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]


def names_temporary_file(text: ast.JoinedStr) -> bool:
    """Say whether an f-string reads as the name of a file that is hidden or temporary: it gets another name later."""
    written = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in text.values)
    return written.rpartition("/")[2].startswith(".") or written.endswith(TEMPORARY_ENDS)


def is_log(call: ast.Call) -> bool:
    """Say whether a call prints or logs."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in ("print", "pprint")
    if not isinstance(function, ast.Attribute) or function.attr not in LOG_METHODS:
        return False
    owner = function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    if isinstance(owner, ast.Call):
        inner = owner.func
        return (inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")) in (
            "getLogger",
            "get_logger",
        )
    return name.lower().strip("_").endswith(LOGGERS)
