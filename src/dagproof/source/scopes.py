"""Scopes of a module: which name is bound to what where, and what each body calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from dagproof.source.project import Module

Block: TypeAlias = tuple[int, ...]
Kind: TypeAlias = Literal["module", "function", "class", "lambda", "comprehension"]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Import(NamedTuple):
    """One import: where, of what, and whether the code is prepared for its failing, or it may not happen at all."""

    node: ast.stmt
    target: str
    is_guarded: bool


@dataclass(eq=False, slots=True)
class Binding:
    """One place that gives a name its meaning: an import, a definition, a value, a parameter, or something else."""

    kind: Literal["import", "definition", "value", "default", "self", "cls", "unknown"]
    scope: Scope
    """Where `value` is evaluated."""
    node: ast.AST
    block: Block
    """The branches that it is inside of: code outside of them can't be sure that it ran."""
    target: str = ""
    """The full name that an import names; empty for a relative one that leads nowhere."""
    value: ast.expr | None = None
    definition: Scope | None = None

    @property
    def line(self) -> int:
        """Where it is."""
        return getattr(self.node, "lineno", 0)


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class, function, lambda or comprehension, with its names and what it does by itself."""

    kind: Kind
    node: ast.AST
    parent: Scope | None
    module: Module
    qualname: str
    """Its full name, unique among all modules: ``<3>.Loader.run``."""
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    """Of a class: what its methods assign to ``self``."""
    outer_names: set[str] = field(default_factory=set)
    """What ``global`` and ``nonlocal`` name."""
    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)
    """Each call, with the scope (this one, or a comprehension in it) that gives its names a meaning."""
    loads: list[tuple[ast.Name, Scope]] = field(default_factory=list)
    returns: list[ast.expr] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    withs: list[tuple[ast.With | ast.AsyncWith, Scope]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    children: list[Scope] = field(default_factory=list)
    """Classes, functions and lambdas defined in it."""
    _nodes: list[ast.AST] | None = None

    @property
    def nodes(self) -> list[ast.AST]:
        """All that it is made of, as ``ast.walk`` yields it; it is walked once, for all that look."""
        if self._nodes is None:
            self._nodes = list(ast.walk(self.node))
        return self._nodes

    @property
    def body(self) -> Scope:
        """The scope that runs this one's code: itself, or what a comprehension is in."""
        scope = self
        while scope.kind == "comprehension" and scope.parent:
            scope = scope.parent
        return scope

    @property
    def name(self) -> str:
        """The last part of its full name."""
        return self.qualname.rpartition(".")[2]

    @property
    def decorators(self) -> list[ast.expr]:
        """What decorates it."""
        return getattr(self.node, "decorator_list", [])


def dominates(outer: Block, inner: Block) -> bool:
    """Say whether code in the block `outer` has surely run (or is running) when code in `inner` runs."""
    return inner[: len(outer)] == outer
