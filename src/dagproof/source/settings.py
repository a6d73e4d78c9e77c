"""What holds for a task: its own arguments, those of ``.override``, of its groups, of its DAG, and of its class."""

from __future__ import annotations

import ast

from dagproof.source.dagfile import DagFile, Task
from dagproof.source.values import Arguments, Value, constant, dictionary, keywords


class Settings:
    """The arguments of one task, whoever gives them.

    Args:
        task: the task.
        dagfile: where it is.
    """

    def __init__(self, task: Task, dagfile: DagFile) -> None:
        self.task = task
        self._resolver = dagfile.resolver
        self._own = _own(task, dagfile)
        self._defaults = _defaults(task, dagfile)
        self._classes = _classes(task, dagfile)

    def of_task(self, key: str) -> Value | None:
        """Return what the task itself says of a key."""
        return self._own.known.get(key)

    def given(self, key: str) -> Value | None:
        """Return what the task, or else its groups and its DAG, say of a key."""
        return self._own.known.get(key) or self._defaults.known.get(key)

    def has(self, key: str) -> bool | None:
        """Say whether an argument is given; None where that can't be told."""
        if self.given(key):
            return True
        if self.class_mentions(key):
            return None
        return None if self._own.open or self._defaults.open else False

    def constant(self, key: str, default: object) -> object:
        """Return what an argument surely is; ``...`` where that can't be told."""
        given = self.given(key)
        if given:
            return constant(given, self._resolver)
        return ... if self._own.open or self._defaults.open else default

    def class_mentions(self, *words: str) -> bool:
        """Say whether one of the project's classes that the task is made of speaks of an argument."""
        return any(_mentions(node, words) for node in self._classes)


def _own(task: Task, dagfile: DagFile) -> Arguments:
    known, is_open = dict(task.arguments.known), task.arguments.open
    for call, scope in task.calls:
        function: ast.expr = call.func
        while isinstance(function, ast.Attribute | ast.Call):
            if isinstance(function, ast.Call) and getattr(function.func, "attr", "") == "override":
                given = keywords(function, scope, dagfile.resolver)
                known.update(given.known)
                is_open = is_open or given.open
            function = function.func if isinstance(function, ast.Call) else function.value
    return Arguments(known, is_open)


def _defaults(task: Task, dagfile: DagFile) -> Arguments:
    """What the DAG gives to all of its tasks, and on top of it each group around the task, the outermost first."""
    of_dag = dagfile.default_args(task.dag)
    known, is_open = dict(of_dag.known), of_dag.open
    for group in dagfile.groups_of(task):
        given = group.arguments.known.get("default_args")
        inner = dictionary(given, dagfile.resolver) if given else Arguments({}, group.arguments.open)
        known.update(inner.known)
        is_open = is_open or inner.open
    return Arguments(known, is_open)


def _classes(task: Task, dagfile: DagFile) -> list[ast.AST]:
    """The project's classes that a task is made of."""
    bases = [base for name in task.names for base in dagfile.resolver.bases(name)]
    made = [dagfile.resolver.project.definitions.get(base) for base in bases]
    return [one.node for one in made if one and one.kind == "class"]


def _mentions(tree: ast.AST, words: tuple[str, ...]) -> bool:
    """Whether a class says something about an argument: as a name, attribute, keyword, parameter or text."""
    for node in ast.walk(tree):
        said = (
            getattr(node, "arg", None),
            getattr(node, "attr", None),
            getattr(node, "id", None),
            node.value if isinstance(node, ast.Constant) else None,
        )
        if any(word in words for word in said if isinstance(word, str)):
            return True
    return False
