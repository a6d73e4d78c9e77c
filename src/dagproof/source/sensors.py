"""Sensors: what they are told, by themselves, by their DAG, and by their class."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from dagproof.source import words
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.settings import Settings

ASIDE = ("defer", "reschedule")
"""How sensors wait that leave their slot."""
BUILT_IN = ("airflow.sdk.", "airflow.sensors.", "airflow.providers.standard.", "airflow.providers.common.")


@cache
def kinds() -> Mapping[str, str]:
    """Return how sensors of providers wait unless they are told otherwise, by their classes.

    ``poke``, ``defer`` or ``reschedule``; with ``timeout`` behind it where the class has a timeout of its own.
    `constraints/sensors.py` writes them.
    """
    text = resources.files("dagproof.source").joinpath("sensor_kinds.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


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
        if kinds().get(self.kind, "").partition(" ")[0] in ASIDE and not self.is_ours:
            return True
        if self.kind.endswith("Async") or "Deferrable" in self.kind or self.kind.endswith("AsyncSensor"):
            return True
        return self.class_mentions("reschedule", "deferrable", "defer", "mode")

    @property
    def has_own_timeout(self) -> bool:
        """Whether its class, one of a provider, limits how long it waits."""
        return kinds().get(self.kind, "").endswith(" timeout") and not self.is_ours

    @property
    def is_ours(self) -> bool:
        """Whether its class is the project's own."""
        return any(name.startswith("<") for name in self.task.names)

    @property
    def is_known(self) -> bool:
        """Whether it is known how its class waits: it is Airflow's, of a provider that was looked at, or at hand."""
        names = self.task.names
        if words.is_sensor_decorator(names):
            return True
        bases = [base for name in names for base in self._resolver.bases(name)]
        foreign = [name for name in bases if not name.startswith("<")]
        is_base = [name.rpartition(".")[2] == "BaseSensorOperator" for name in foreign]
        return all(
            base or name.startswith(BUILT_IN) or (name.startswith("airflow.") and name.rpartition(".")[2] in kinds())
            for name, base in zip(foreign, is_base, strict=True)
        )


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
