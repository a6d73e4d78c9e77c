"""What a DAG file is made of: its DAGs, tasks and groups, and the code and calls that it runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from dagproof.loaded.model import Spot
from dagproof.source.names import Names
from dagproof.source.project import Module
from dagproof.source.scopes import Scope
from dagproof.source.values import Arguments

Phase: TypeAlias = Literal["parse", "run"]


class Place(NamedTuple):
    """A piece of code in a module."""

    module: Module
    node: ast.AST
    inside: int = 0
    """The line of a part of it that has no code of its own, such as a line of a long text."""

    @property
    def line(self) -> int:
        """Its line."""
        return self.inside or getattr(self.node, "lineno", 1)

    @property
    def spot(self) -> Spot:
        """Where it is, as people are told: path, line and column of one and the same file."""
        end = max(getattr(self.node, "end_lineno", None) or self.line, self.line)
        return Spot(self.module.shown, self.line, self._column(), end)

    def _column(self) -> int:
        """The column as people count: in characters and from 1, where Python counts bytes from 0."""
        offset = getattr(self.node, "col_offset", 0)
        lines = self.module.lines
        if not 0 < self.line <= len(lines) or self.line != getattr(self.node, "lineno", 1):
            return 1
        return len(lines[self.line - 1].encode()[:offset].decode(errors="ignore")) + 1


Chain: TypeAlias = tuple[Place, ...]


@dataclass(eq=False)
class Dag:
    """Where a DAG is made, and what with."""

    node: ast.expr
    scope: Scope
    dag_id: str | None
    arguments: Arguments
    chain: Chain
    span: tuple[int, int] | None = None
    """The first and last line of what is surely inside of it."""
    is_asset: bool = False
    """Whether a function with ``@asset`` makes it: nobody can give it `default_args`."""

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.scope.module, self.node)


@dataclass(eq=False)
class Task:
    """Where a task is made: a call of an operator, or of a function that is a task."""

    node: ast.expr
    scope: Scope
    names: Names
    """What is called: the class of an operator, or the decorator of a function."""
    task_id: str | None
    arguments: Arguments
    chain: Chain
    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)
    """The calls whose arguments reach the task: ``Operator(…)``, ``.partial(…)``, ``.expand(…)``, ``function(…)``."""
    function: Scope | None = None
    entries: list[tuple[Scope, Chain]] = field(default_factory=list)
    """What it runs, and the calls that lead there."""
    receivers: dict[Scope, Scope] = field(default_factory=dict)
    """The class whose object an inherited method is called on."""
    dag: Dag | None = None

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.scope.module, self.node)

    @property
    def dag_id(self) -> str | None:
        """The id of its DAG, where it can be told."""
        return self.dag.dag_id if self.dag else None


@dataclass(frozen=True)
class Group:
    """A task group: where it is, what is inside of it, and what it gives to its tasks."""

    module: Module
    span: tuple[int, int]
    arguments: Arguments


@dataclass(frozen=True)
class Body:
    """Code that runs: a scope, when, and through which calls it is reached."""

    scope: Scope
    phase: Phase
    chain: Chain
    task: Task | None


@dataclass(frozen=True)
class Site:
    """A call that happens: what is called, when, and through which calls it is reached."""

    call: ast.Call
    scope: Scope
    names: Names
    body: Body

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.scope.module, self.call)
