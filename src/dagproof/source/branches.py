"""Branches that a task never takes: ``if self.operation == "save":`` where it is told to do something else."""

from __future__ import annotations

import ast
from weakref import WeakKeyDictionary

from dagproof.source.names import Resolver
from dagproof.source.project import Module
from dagproof.source.scopes import Scope
from dagproof.source.values import Value, constant

_PARENTS: WeakKeyDictionary[Module, dict[Scope, dict[ast.AST, ast.AST]]] = WeakKeyDictionary()


def never_happens(node: ast.AST, scope: Scope, resolver: Resolver) -> bool:
    """Say whether code is in a branch that is surely not taken, with what `resolver` knows of parameters."""
    parents = _parents(scope.body)
    child, parent = node, parents.get(node)
    while parent is not None:
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
            holds = _holds(parent.test, scope, resolver)
            in_body = child in parent.body if isinstance(parent.body, list) else child is parent.body
            if holds is not None and holds is not in_body:
                return True
        elif isinstance(parent, ast.match_case):
            match = parents.get(parent)
            if isinstance(match, ast.Match) and _is_other_case(match, parent, scope, resolver):
                return True
        child, parent = parent, parents.get(parent)
    return False


def _parents(body: Scope) -> dict[ast.AST, ast.AST]:
    known = _PARENTS.setdefault(body.module, {})
    if body not in known:
        known[body] = {child: node for node in body.nodes for child in ast.iter_child_nodes(node)}
    return known[body]


def _holds(test: ast.expr, scope: Scope, resolver: Resolver) -> bool | None:
    """Whether a condition is surely true or surely false; None where that can't be told."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _holds(test.operand, scope, resolver)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [_holds(part, scope, resolver) for part in test.values]
        decides = isinstance(test.op, ast.Or)
        if decides in parts:
            return decides
        return None if None in parts else not decides
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compares(test, scope, resolver)
    return None


def _compares(test: ast.Compare, scope: Scope, resolver: Resolver) -> bool | None:
    left = _known(test.left, scope, resolver)
    operator, right = test.ops[0], test.comparators[0]
    if not isinstance(left, str):
        return None
    if isinstance(operator, ast.Eq | ast.NotEq):
        other = _known(right, scope, resolver)
        return (left == other) is isinstance(operator, ast.Eq) if isinstance(other, str) else None
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, ast.Tuple | ast.List | ast.Set):
        others = [_known(one, scope, resolver) for one in right.elts]
        return (left in others) is isinstance(operator, ast.In) if all(isinstance(one, str) for one in others) else None
    return None


def _known(node: ast.expr, scope: Scope, resolver: Resolver) -> object:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("lower", "upper", "strip")
    ):
        inner = _known(node.func.value, scope, resolver)
        return getattr(inner, node.func.attr)() if isinstance(inner, str) and not node.args else ...
    return constant(Value(node, scope), resolver)


def _is_other_case(match: ast.Match, case: ast.match_case, scope: Scope, resolver: Resolver) -> bool:
    subject = _known(match.subject, scope, resolver)
    if not isinstance(subject, str):
        return False
    for one in match.cases:
        patterns = one.pattern.patterns if isinstance(one.pattern, ast.MatchOr) else [one.pattern]
        written = [pattern.value for pattern in patterns if isinstance(pattern, ast.MatchValue)]
        values = [value.value for value in written if isinstance(value, ast.Constant)]
        if len(values) != len(patterns):
            return False
        if one is case:
            return subject not in values
        if subject in values:
            return True
    return False
