"""Build the scopes of a module in one pass over its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dagproof.source.scopes import Binding, Block, Function, Import, Kind, Scope

if TYPE_CHECKING:
    from dagproof.source.project import Module


def index(tree: ast.Module, module: Module) -> Scope:
    """Return the scope of a module, with all others below it."""
    scope = Scope("module", tree, None, module, module.qualname)
    indexer = _Indexer(scope)
    for statement in tree.body:
        indexer.visit(statement)
    return scope


def never_runs(test: ast.expr) -> bool:
    """Say whether a condition is false whenever a DAG processor or worker imports the file."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        sides = [test.left, *test.comparators]
        main = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
        return main and any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(never_runs(value) for value in test.values)
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else None
    return name == "TYPE_CHECKING" or (isinstance(test, ast.Constant) and not test.value)


class _Indexer:
    """Walks a tree; `scope` and `block` are where it is."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.module = scope.module
        self.block: Block = ()
        self.blocks = 0
        self.guards = 0
        """How many conditions and handled errors stand around."""

    def visit(self, node: ast.AST) -> None:
        visitor = _VISITORS.get(type(node))
        if visitor is None:
            self.visit_parts(node)
        else:
            visitor(self, node)

    def visit_parts(self, node: ast.AST) -> None:
        for name in node._fields:
            part = getattr(node, name, None)
            if isinstance(part, list):
                for item in part:
                    if isinstance(item, ast.AST):
                        self.visit(item)
            elif isinstance(part, ast.AST):
                self.visit(part)

    def visit_all(self, nodes: Sequence[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def in_block(self, statements: Sequence[ast.AST]) -> None:
        if statements:
            outer, self.blocks = self.block, self.blocks + 1
            self.block = (*outer, self.blocks)
            self.visit_all(statements)
            self.block = outer

    def guarded(self, statements: Sequence[ast.AST]) -> None:
        self.guards += 1
        self.in_block(statements)
        self.guards -= 1

    def in_scope(self, kind: Kind, node: ast.AST, name: str) -> Scope:
        scope = Scope(kind, node, self.scope, self.module, f"{self.scope.qualname}.{name}")
        if kind != "comprehension":
            self.scope.body.children.append(scope)
            self.module.register(scope)
        return scope

    def bind(self, name: str, binding: Binding) -> None:
        scope = self.scope
        while name in scope.outer_names and scope.parent:
            scope = scope.parent
        scope.bindings.setdefault(name, []).append(binding)

    # Names and calls

    def name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.scope.body.loads.append((node, self.scope))
        else:
            self.bind(node.id, Binding("unknown", self.scope, node, self.block))

    def call(self, node: ast.Call) -> None:
        self.scope.body.calls.append((node, self.scope))
        self.visit_parts(node)

    def assign(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        if node.value is not None:
            self.visit(node.value)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self.target(target, node.value)

    def target(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, Binding("value", self.scope, target, self.block, value=value))
        elif pairs := _pairs(target, value):
            for part, its_value in pairs:
                self.target(part, its_value)
        else:
            self.attribute_of_self(target, value)
            self.visit(target)

    def attribute_of_self(self, target: ast.expr, value: ast.expr) -> None:
        owner = self.scope.parent
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and owner and owner.kind == "class":
            bound = self.scope.bindings.get(target.value.id, [])
            if bound and bound[0].kind == "self":
                binding = Binding("value", self.scope, target, self.block, value=value)
                owner.attributes.setdefault(target.attr, []).append(binding)

    def with_(self, node: ast.With | ast.AsyncWith) -> None:
        self.scope.body.withs.append((node, self.scope))
        suppresses = any("suppress" in _called(item.context_expr) for item in node.items)
        self.guards += suppresses
        self.visit_parts(node)
        self.guards -= suppresses

    def with_item(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self.target(node.optional_vars, node.context_expr)

    def outer(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scope.outer_names.update(node.names)

    def import_(self, node: ast.Import) -> None:
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            self.scope.body.imports.append(Import(node, alias.name, self.guards > 0))
            self.bind(alias.asname or target, Binding("import", self.scope, node, self.block, target=target))

    def import_from(self, node: ast.ImportFrom) -> None:
        base = self.module.absolute(node.module, node.level)
        for alias in node.names:
            if alias.name == "*":
                self.scope.stars.append(base)
            target = f"{base}.{alias.name}" if base else ""
            self.scope.body.imports.append(Import(node, target or base, self.guards > 0))
            self.bind(alias.asname or alias.name, Binding("import", self.scope, node, self.block, target=target))

    # Branches

    def if_(self, node: ast.If) -> None:
        self.visit(node.test)
        if never_runs(node.test):
            self.visit_all(node.orelse)
        else:
            self.guarded(node.body)
            self.guarded(node.orelse)

    def loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self.visit_all([node.test] if isinstance(node, ast.While) else [node.iter, node.target])
        self.in_block(node.body)
        self.in_block(node.orelse)

    def try_(self, node: ast.Try) -> None:
        catches = any(_catches_import_error(handler.type) for handler in node.handlers)
        (self.guarded if catches else self.in_block)(node.body)
        for handler in node.handlers:
            if handler.type:
                self.visit(handler.type)
            if handler.name:
                self.bind(handler.name, Binding("unknown", self.scope, handler, self.block))
            self.guarded(handler.body)
        self.in_block(node.orelse)
        self.visit_all(node.finalbody)

    def match_case(self, node: ast.match_case) -> None:
        self.in_block([node.pattern, *([node.guard] if node.guard else []), *node.body])

    def capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.bind(name, Binding("unknown", self.scope, node, self.block))
        self.visit_parts(node)

    # Scopes

    def function(self, node: Function) -> None:
        self.visit_all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        scope = self.in_scope("function", node, node.name)
        self.bind(node.name, Binding("definition", self.scope, node, self.block, definition=scope))
        self.run_body(scope, node.args, node.body)

    def lambda_(self, node: ast.Lambda) -> None:
        self.visit_all([*node.args.defaults, *node.args.kw_defaults])
        scope = self.in_scope("lambda", node, f"<lambda:{node.lineno}:{node.col_offset}>")
        scope.returns.append(node.body)
        self.module.lambdas[node] = scope
        self.run_body(scope, node.args, [node.body])

    def class_(self, node: ast.ClassDef) -> None:
        self.visit_all([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        scope = self.in_scope("class", node, node.name)
        self.bind(node.name, Binding("definition", self.scope, node, self.block, definition=scope))
        self.run_body(scope, None, node.body)

    def run_body(self, scope: Scope, arguments: ast.arguments | None, body: Sequence[ast.AST]) -> None:
        outer, outer_block = self.scope, self.block
        if arguments:
            self.parameters(scope, arguments)
        self.scope, self.block = scope, ()
        self.visit_all(body)
        self.scope, self.block = outer, outer_block

    def parameters(self, scope: Scope, arguments: ast.arguments) -> None:
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        defaults += [*arguments.defaults, *arguments.kw_defaults]
        for argument, default in zip([*positional, *arguments.kwonlyargs], defaults, strict=True):
            kind: Any = "default" if default else "unknown"
            binding = Binding(kind, self.scope, argument, (), value=default)
            scope.bindings[argument.arg] = [binding]
        for extra in (arguments.vararg, arguments.kwarg):
            if extra:
                scope.bindings[extra.arg] = [Binding("unknown", scope, extra, ())]
        if self.scope.kind == "class" and positional and not _is(scope, "staticmethod"):
            kind = "cls" if _is(scope, "classmethod") else "self"
            binding = Binding(kind, self.scope, positional[0], (), definition=self.scope)
            scope.bindings[positional[0].arg] = [binding]

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.visit(node.generators[0].iter)
        outer = self.scope
        self.scope = self.in_scope("comprehension", node, "<comprehension>")
        for number, generator in enumerate(node.generators):
            self.visit_all([generator.target, *([generator.iter] if number else []), *generator.ifs])
        self.visit_all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.scope = outer

    def return_(self, node: ast.Return | ast.Yield) -> None:
        if node.value:
            self.scope.body.returns.append(node.value)
            self.visit(node.value)

    def argument(self, node: ast.arg) -> None:
        """Leave annotations alone."""

    def nothing(self, node: ast.AST) -> None:
        """Nothing to see."""


def _catches_import_error(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_catches_import_error, kind.elts))
    name = kind.attr if isinstance(kind, ast.Attribute) else kind.id if isinstance(kind, ast.Name) else ""
    return kind is None or name in ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")


def _called(node: ast.expr) -> str:
    """The last part of the name of what is called."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Which value each part of ``a, b = 1, 2`` gets; none where that can't be told."""
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Tuple | ast.List):
        return []
    starred = any(isinstance(part, ast.Starred) for part in [*target.elts, *value.elts])
    if starred or len(target.elts) != len(value.elts):
        return []
    return list(zip(target.elts, value.elts, strict=True))


def _is(scope: Scope, decorator: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == decorator for node in scope.decorators)


_VISITORS: dict[type[ast.AST], Callable[[_Indexer, Any], None]] = {
    ast.Name: _Indexer.name,
    ast.Call: _Indexer.call,
    ast.Assign: _Indexer.assign,
    ast.AnnAssign: _Indexer.assign,
    ast.NamedExpr: _Indexer.assign,
    ast.With: _Indexer.with_,
    ast.AsyncWith: _Indexer.with_,
    ast.withitem: _Indexer.with_item,
    ast.Global: _Indexer.outer,
    ast.Nonlocal: _Indexer.outer,
    ast.Import: _Indexer.import_,
    ast.ImportFrom: _Indexer.import_from,
    ast.If: _Indexer.if_,
    ast.For: _Indexer.loop,
    ast.AsyncFor: _Indexer.loop,
    ast.While: _Indexer.loop,
    ast.Try: _Indexer.try_,
    ast.match_case: _Indexer.match_case,
    ast.MatchAs: _Indexer.capture,
    ast.MatchStar: _Indexer.capture,
    ast.MatchMapping: _Indexer.capture,
    ast.FunctionDef: _Indexer.function,
    ast.AsyncFunctionDef: _Indexer.function,
    ast.Lambda: _Indexer.lambda_,
    ast.ClassDef: _Indexer.class_,
    ast.ListComp: _Indexer.comprehension,
    ast.SetComp: _Indexer.comprehension,
    ast.GeneratorExp: _Indexer.comprehension,
    ast.DictComp: _Indexer.comprehension,
    ast.Return: _Indexer.return_,
    ast.Yield: _Indexer.return_,
    ast.arg: _Indexer.argument,
    ast.Constant: _Indexer.nothing,
    ast.Load: _Indexer.nothing,
    ast.Store: _Indexer.nothing,
    ast.Pass: _Indexer.nothing,
}
if hasattr(ast, "TryStar"):  # Python 3.11
    _VISITORS[ast.TryStar] = _Indexer.try_
