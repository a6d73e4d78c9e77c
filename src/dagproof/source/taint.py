"""Where a value comes from: whether a source (a clock, say) is read to make it, and through which calls."""

from __future__ import annotations

import ast
from collections.abc import Callable

from dagproof.source import words
from dagproof.source.dagfile import Chain, Place
from dagproof.source.names import Names, Resolver, visible
from dagproof.source.project import readable_scope
from dagproof.source.scopes import Binding, Scope
from dagproof.source.values import Value, followed, given_to

MOST_DEPTH = 12
IsSource = Callable[[ast.Call, Scope, Names], bool]


class Taint:
    """Finds the reading of a source behind a value. It never looks into functions that are only defined."""

    def __init__(self, resolver: Resolver, is_source: IsSource) -> None:
        self.resolver = resolver
        self.is_source = is_source
        self._known: dict[ast.expr, Chain] = {}

    def cause(self, value: Value, depth: int = 0) -> Chain:
        """Return the calls that lead from a value to the source it is made from; empty where there is none."""
        node, scope = value
        if node in self._known:
            return self._known[node]
        if depth > MOST_DEPTH:
            return ()
        self._known[node] = ()
        self._known[node] = self._cause(node, scope, depth + 1)
        return self._known[node]

    def _cause(self, node: ast.expr, scope: Scope, depth: int) -> Chain:
        if isinstance(node, ast.Lambda):
            return ()
        if isinstance(node, ast.Name):
            return self._first(visible(node, scope), depth)
        if isinstance(node, ast.Call):
            found = self._of_call(node, scope, depth)
            if found is not None:
                return found
        if isinstance(node, ast.Attribute):
            for one in followed(Value(node, scope), self.resolver):
                if one.node is not node and (found := self.cause(one, depth)):
                    return found
        return self._of_parts(node, scope, depth)

    def _of_parts(self, node: ast.AST, scope: Scope, depth: int) -> Chain:
        for part in ast.iter_child_nodes(node):
            inside = part if isinstance(part, ast.expr) else None
            found = self.cause(Value(inside, scope), depth) if inside else self._of_parts(part, scope, depth)
            if found:
                return found
        return ()

    def _of_call(self, node: ast.Call, scope: Scope, depth: int) -> Chain | None:
        """What a call gives: the source, what a function of the project returns, nothing for a DAG or a task."""
        names = self.resolver.names(node.func, scope)
        if self.is_source(node, scope, names):
            return (Place(scope.module, node),)
        if words.is_dag_class(names) or any(words.OPERATOR.search(name) for name in names):
            return ()
        for name in names:
            made = self.resolver.project.definitions.get(name)
            if made and made.kind == "function":
                if any(words.is_task_decorator(self.resolver.names(d, made.parent or made)) for d in made.decorators):
                    return ()
                for result in made.returns:
                    found = self.cause(Value(result, made), depth)
                    if found:
                        return (Place(scope.module, node), *found)
            elif made and made.kind == "lambda":
                found = self.cause(Value(made.returns[0], made), depth)
                if found:
                    return (Place(scope.module, node), *found)
        return None

    def _first(self, bindings: list[Binding], depth: int) -> Chain:
        for binding in bindings:
            found: Chain = ()
            if given := given_to(binding, self.resolver):
                found = next((cause for one in given if (cause := self.cause(one, depth))), ())
            elif binding.kind in ("value", "default") and binding.value is not None:
                found = self.cause(Value(binding.value, binding.scope), depth)
            elif binding.kind == "import":
                found = self._imported(binding, depth)
            if found:
                return found
        return ()

    def _imported(self, binding: Binding, depth: int) -> Chain:
        name = binding.target.rpartition(".")[2]
        stand_in = ast.Name(name, ast.Load(), lineno=1 << 30, col_offset=0)
        found = self.resolver.project.find(binding.target, binding.scope.module)
        if not found or found[1] != [name]:
            return ()
        home = readable_scope(found[0])
        cause = self._first(visible(stand_in, home), depth) if home and depth <= MOST_DEPTH else ()
        return (Place(binding.scope.module, binding.node), *cause) if cause else ()
