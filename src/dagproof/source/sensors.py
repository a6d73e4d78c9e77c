"""Sensors: what they are told, by themselves, by their DAG, and by their class."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.source import words
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.values import Arguments, constant


class Sensor:
    """A task that waits.

    Args:
        task: the task.
        dagfile: where it is.
        kind: the name of its class, or ``@task.sensor``.
    """

    def __init__(self, task: Task, dagfile: DagFile, kind: str) -> None:
        self.task = task
        self.kind = kind
        self._resolver = dagfile.resolver
        self._defaults: Arguments = dagfile.default_args(task.dag)
        self._own_class = _own_classes(task, dagfile)

    @property
    def shown(self) -> str:
        """How it is told."""
        return f"the sensor {self.task.task_id!r}" if self.task.task_id else f"this {self.kind}"

    @property
    def waits_aside(self) -> bool:
        """Whether its class, rather than an argument, makes it leave its slot; true where that can't be told."""
        if self.kind.endswith("Async") or "Deferrable" in self.kind or self.kind.endswith("AsyncSensor"):
            return True
        return any(_mentions(node, ("reschedule", "deferrable", "defer", "mode")) for node in self._own_class)

    def has(self, key: str) -> bool | None:
        """Say whether an argument is given; None where that can't be told."""
        if key in self.task.arguments.known or key in self._defaults.known:
            return True
        if any(_mentions(node, (key,)) for node in self._own_class):
            return None
        return None if self.task.arguments.open or self._defaults.open else False

    def constant(self, key: str, default: object) -> object:
        """Return what an argument surely is; ``...`` where that can't be told."""
        given = self.task.arguments.known.get(key) or self._defaults.known.get(key)
        if given:
            return constant(given, self._resolver)
        return ... if self.task.arguments.open or self._defaults.open else default


def sensors(dagfile: DagFile) -> Iterator[Sensor]:
    """Yield each sensor of a DAG file."""
    for task in dagfile.tasks:
        if words.is_sensor_decorator(task.names):
            yield Sensor(task, dagfile, "@task.sensor")
            continue
        for name in task.names:
            if _is_sensor(name, dagfile):
                yield Sensor(task, dagfile, name.rpartition(".")[2])


def _is_sensor(name: str, dagfile: DagFile) -> bool:
    if name.startswith("<"):
        return any(words.SENSOR_BASE.match(base) for base in dagfile.resolver.bases(name))
    return bool(words.SENSOR.search(name))


def _own_classes(task: Task, dagfile: DagFile) -> list[ast.AST]:
    """The project's classes that a sensor is made of."""
    bases = [base for name in task.names for base in dagfile.resolver.bases(name)]
    made = [dagfile.resolver.project.definitions.get(base) for base in bases]
    return [one.node for one in made if one and one.kind == "class"]


def _mentions(tree: ast.AST, words_: tuple[str, ...]) -> bool:
    """Whether a class says something about an argument: as a name, attribute, keyword, parameter or text."""
    for node in ast.walk(tree):
        said = (
            getattr(node, "arg", None),
            getattr(node, "attr", None),
            getattr(node, "id", None),
            node.value if isinstance(node, ast.Constant) else None,
        )
        if any(word in words_ for word in said if isinstance(word, str)):
            return True
    return False
