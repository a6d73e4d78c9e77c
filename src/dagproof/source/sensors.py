"""Sensors: what they are told, by themselves, by their DAG, and by their class."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.source import words
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.settings import Settings


class Sensor(Settings):
    """A task that waits.

    Args:
        task: the task.
        dagfile: where it is.
        kind: the name of its class, or ``@task.sensor``.
    """

    def __init__(self, task: Task, dagfile: DagFile, kind: str) -> None:
        super().__init__(task, dagfile)
        self.kind = kind

    @property
    def shown(self) -> str:
        """How it is told."""
        return f"the sensor {self.task.task_id!r}" if self.task.task_id else f"this {self.kind}"

    @property
    def waits_aside(self) -> bool:
        """Whether its class, rather than an argument, makes it leave its slot; true where that can't be told."""
        if self.kind.endswith("Async") or "Deferrable" in self.kind or self.kind.endswith("AsyncSensor"):
            return True
        return self.class_mentions("reschedule", "deferrable", "defer", "mode")


def sensors(dagfile: DagFile) -> Iterator[Sensor]:
    """Yield each sensor of a DAG file."""
    for task in dagfile.tasks:
        kind = sensor_kind(task, dagfile)
        if kind:
            yield Sensor(task, dagfile, kind)


def sensor_kind(task: Task, dagfile: DagFile) -> str | None:
    """Return the name of a sensor's class, or ``@task.sensor``; None for another task."""
    if words.is_sensor_decorator(task.names):
        return "@task.sensor"
    return next((name.rpartition(".")[2] for name in task.names if _is_sensor(name, dagfile)), None)


def _is_sensor(name: str, dagfile: DagFile) -> bool:
    if name.startswith("<"):
        return any(words.SENSOR_BASE.match(base) for base in dagfile.resolver.bases(name))
    return bool(words.SENSOR.search(name))
