"""What names mean: the full names that an expression may stand for, through imports, aliases, values and attributes.

A full name is dotted: ``datetime.datetime.now`` for what is not the project's own, ``<3>.Loader.run`` for what the
project's third module defines, and with ``()`` for what calling it gives: ``airflow.sdk.DAG()``.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import Any

from dagproof.source.project import Module, Project, enclosing, readable_scope
from dagproof.source.scopes import Binding, Scope, dominates

Names = tuple[str, ...]
MOST_DEPTH = 24
MOST_NAMES = 8
BUILTINS = frozenset(dir(builtins))


class Resolver:
    """Tells what expressions of a project stand for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[ast.expr, Names] = {}
        self._members: dict[tuple[str, str], Names] = {}
        self._depth = 0
        self.remembered: dict[object, Any] = {}
        """What was found out with it about expressions, by whoever asked: many rules ask the same."""

    def names(self, node: ast.expr, scope: Scope) -> Names:
        """Return every full name that an expression may stand for; none where that can't be told."""
        if node in self._known:
            return self._known[node]
        if self._depth > MOST_DEPTH:
            return ()
        self._depth += 1
        self._known[node] = ()  # what is defined by itself means nothing
        found = tuple(dict.fromkeys(self._names(node, scope)))[:MOST_NAMES]
        self._depth -= 1
        self._known[node] = found
        return found

    def _names(self, node: ast.expr, scope: Scope) -> Iterator[str]:
        if isinstance(node, ast.Name):
            for binding in visible(node, scope):
                yield from self.bound(binding)
            yield from self._unbound(node, scope)
        elif isinstance(node, ast.Attribute):
            for base in self.names(node.value, scope):
                yield from self.attribute(base, node.attr)
        elif isinstance(node, ast.Call):
            yield from self._results(node, scope)
        elif isinstance(node, ast.Await):
            yield from self.names(node.value, scope)
        elif isinstance(node, ast.IfExp):
            yield from (*self.names(node.body, scope), *self.names(node.orelse, scope))
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                yield from self.names(value, scope)
        elif isinstance(node, ast.Lambda) and node in scope.module.lambdas:
            yield scope.module.lambdas[node].qualname

    def _results(self, node: ast.Call, scope: Scope) -> Iterator[str]:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            yield from self._parents_instance(scope)
            return
        for name in self.names(node.func, scope):
            made = self.project.definitions.get(name)
            if name in ("functools.partial", "functools.wraps") and node.args:
                yield from self.names(node.args[0], scope)
            elif name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                for base in self.names(node.args[0], scope):
                    yield from self.attribute(base, str(node.args[1].value))
            elif made and made.kind == "function" and not made.decorators:
                results = [found for value in made.returns[:3] for found in self.names(value, made)]
                yield from results or [f"{name}()"]
            else:
                yield f"{name}()"

    def _parents_instance(self, scope: Scope) -> Iterator[str]:
        owner = next((one for one in enclosing(scope) if one.kind == "class"), None)
        if owner and isinstance(owner.node, ast.ClassDef):
            for base in owner.node.bases:
                yield from (f"{name}()" for name in self.names(base, owner.parent or owner))

    def _unbound(self, node: ast.Name, scope: Scope) -> Iterator[str]:
        if any(node.id in one.bindings for one in enclosing(scope)):
            return
        stars = [(one.module, star) for one in enclosing(scope) for star in one.stars]
        for module, star in stars:
            yield from self.imported(f"{star}.{node.id}", module)
        if node.id in BUILTINS:
            yield node.id

    def bound(self, binding: Binding) -> Iterator[str]:
        """Yield the full names that a binding gives."""
        if binding.kind == "import" and binding.target:
            yield from self.imported(binding.target, binding.scope.module)
        elif binding.kind in ("value", "default") and binding.value is not None:
            yield from self.names(binding.value, binding.scope)
        elif binding.definition:
            yield binding.definition.qualname + ("()" if binding.kind == "self" else "")

    def imported(self, target: str, importer: Module) -> Names:
        """Return what an imported name stands for, followed into the project's modules."""
        found = self.project.find(target, importer)
        if found is None:
            return () if target.startswith("<") else (target,)
        module, rest = found
        names: Names = (module.qualname,)
        for part in rest:
            names = tuple(name for base in names for name in self.attribute(base, part))
        return names

    def attribute(self, base: str, name: str) -> Names:
        """Return what an attribute of something with a full name stands for."""
        if not base.startswith("<"):
            return (f"{base}.{name}",)
        if base.endswith(">") and "." not in base:
            return self._of_module(self.project.numbered(base), name)
        owner = self.project.definitions.get(base.removesuffix("()"))
        if owner and owner.kind == "class":
            return self._of_class(owner, name) or (f"{base}.{name}",)
        return (f"{base}.{name}",)

    def _of_module(self, module: Module, name: str) -> Names:
        key = (module.qualname, name)
        if key in self._members:
            return self._members[key]
        scope = readable_scope(module)
        if scope is None or self._depth > MOST_DEPTH:
            return ()
        self._members[key] = ()  # modules may import all of each other, round and round
        self._depth += 1
        found = [full for binding in final(scope.bindings.get(name, [])) for full in self.bound(binding)]
        if not found and module.path.name == "__init__.py":
            below = self.project.find(f"{self.project.mark(module.path.parent)}.{name}", module)
            found = [below[0].qualname] if below and not below[1] else []
        if not found:
            found = [full for star in scope.stars for full in self.imported(f"{star}.{name}", module)]
        self._depth -= 1
        self._members[key] = tuple(found)[:MOST_NAMES]
        return self._members[key]

    def _of_class(self, owner: Scope, name: str, depth: int = 0) -> Names:
        bindings = [*owner.bindings.get(name, []), *owner.attributes.get(name, [])]
        found = tuple(full for binding in bindings for full in self.bound(binding))
        if found or bindings or depth > MOST_DEPTH or not isinstance(owner.node, ast.ClassDef):
            return found
        bases = [full for base in owner.node.bases for full in self.names(base, owner.parent or owner)]
        for base in bases:
            parent = self.project.definitions.get(base)
            names = self._of_class(parent, name, depth + 1) if parent else (f"{base}().{name}",)
            if names:
                return names
        return ()

    def bases(self, qualname: str, depth: int = 0) -> Iterator[str]:
        """Yield the full name of a class and of all that it is derived from, as far as they are known."""
        yield qualname
        owner = self.project.definitions.get(qualname)
        if owner and isinstance(owner.node, ast.ClassDef) and depth < MOST_DEPTH:
            for base in owner.node.bases:
                for name in self.names(base, owner.parent or owner):
                    yield from self.bases(name, depth + 1)


def visible(node: ast.Name, scope: Scope) -> list[Binding]:
    """Return the bindings that may give a name its meaning where it stands."""
    start = scope
    for one in enclosing(scope):
        if one.kind == "class" and one is not start and start.body is not one:
            continue
        if node.id in one.bindings and node.id not in one.outer_names:
            bindings = one.bindings[node.id]
            return _before(node, bindings) if one.body is start.body else final(bindings)
    return []


def _before(node: ast.Name, bindings: list[Binding]) -> list[Binding]:
    """The bindings that a name may have got by the time it is read in the same body."""
    position = (node.lineno, node.col_offset)
    return final([binding for binding in bindings if _position(binding) <= position] or bindings)


def _position(binding: Binding) -> tuple[int, int]:
    """Where a binding takes effect: a value is made before it gets its name."""
    if binding.kind == "value" and binding.value is not None:
        return (binding.value.end_lineno or 0, binding.value.end_col_offset or 0)
    return (binding.line, getattr(binding.node, "col_offset", 0))


def final(bindings: list[Binding]) -> list[Binding]:
    """Return the bindings that may hold in the end: the last one, and those before it that it may not replace."""
    found: list[Binding] = []
    for binding in reversed(bindings):
        found.append(binding)
        if dominates(binding.block, ()):
            break
    return found
