"""The lab: lets histories happen in fresh worlds and remembers the state that each one left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagproof.config import Config
from dagproof.errors import ConfigError, DagproofError, nearest
from dagproof.histories import History, Step
from dagproof.worlds.machine import HERE, Machine
from dagproof.worlds.snapshot import Snapshot, matches_nothing, saved_after_tasks
from dagproof.worlds.world import Run, World

if TYPE_CHECKING:
    from dagproof.driver import Driver

_Key = tuple[History, str, int]


class Lab:
    """Where the histories of one DAG happen.

    Snapshots are given without what the configuration ignores. A state is computed once; a run that failed fails
    again the same way without being run again.
    """

    def __init__(self, driver: Driver, dag_id: str, runs: Mapping[tuple[str, str], Run]) -> None:
        self.dag_id = dag_id
        self.config: Config = driver.config
        self.proof = driver.config.proof(dag_id)
        self.ignore = frozenset(self.proof.ignore)
        self._driver = driver
        self._worlds = driver.worlds
        self.runs = runs
        self._before: dict[str, Snapshot] = {}
        self._states: dict[_Key, Snapshot | DagproofError] = {}
        self._raw_states: list[Snapshot] = []

    def state(self, history: History, *, machine: Machine = HERE, repeat: int = 0) -> Snapshot:
        """Return the content of all stores after `history`, in a fresh world on `machine`.

        `repeat` tells apart fresh worlds in which the same history happens again.

        Raises:
            DagproofError: a run of the history failed.
        """
        key = (history, machine.name, repeat)
        if key not in self._states:
            self._happen(history, machine, repeat)
        state = self._states[key]
        if isinstance(state, DagproofError):
            raise state
        return state

    def before(self, history: History) -> Snapshot:
        """Return the content of all stores before the first step of `history`, the DAGs that run first included."""
        self.state(history[:1])
        return self._before[history[0].date]

    def writer(self, history: History, names: set[str], machine: Machine = HERE) -> str | None:
        """Return the task that, in the last step of `history`, last changed one of the tables or files `names`.

        The answer reads ``load_users, at etl/users.py:88``; the source line is left out where it is not known.
        """
        into = self._worlds.world_folder / "after-tasks"
        with self._worlds.world(self._driver.worker(machine)) as world:
            into.mkdir()
            snapshots: list[tuple[str, Snapshot]] = []
            for index, step in enumerate(history):
                last = index == len(history) - 1
                self._upstream(world, history, index)
                snapshots = [("", world.snapshot())]
                world.run(self.runs[self.dag_id, step.date], step, watch=into if last else None)
            snapshots += [(task_id, snapshot) for task_id, _, snapshot in saved_after_tasks(into)]
        states = [state for _, state in snapshots]
        writers = [
            task_id
            for (task_id, after), before in zip(snapshots[1:], states, strict=False)
            if any(_content(before, name) != _content(after, name) for name in names)
        ]
        return self._located(writers[-1]) if writers else None

    def check_ignore(self) -> None:
        """Refuse an entry of `ignore` that names nothing in any state seen so far.

        Raises:
            ConfigError: with the nearest name.
        """
        seen = self._raw_states
        for entry in sorted(self.ignore):
            if seen and matches_nothing(entry, seen):
                names = {name for state in seen for name in state.names()}
                raise ConfigError(
                    f"tool.dagproof.proofs.{self.dag_id}.ignore names {entry!r}, which is no column and no file"
                    f"{nearest(entry, names)}"
                )

    def _happen(self, history: History, machine: Machine, repeat: int) -> None:
        """Let `history` happen in a fresh world; remember the state after each of its steps."""
        try:
            with self._worlds.world(self._driver.worker(machine)) as world:
                for index, step in enumerate(history):
                    self._upstream(world, history, index)
                    if index == 0 and step.date not in self._before:
                        self._before[step.date] = self._kept(world.snapshot())
                    world.run(self.runs[self.dag_id, step.date], step)
                    self._states.setdefault((history[: index + 1], machine.name, repeat), self._kept(world.snapshot()))
        except DagproofError as error:
            self._states[history, machine.name, repeat] = error

    def _upstream(self, world: World, history: History, index: int) -> None:
        """Run the DAGs that come first, once for each date."""
        step = history[index]
        if any(earlier.date == step.date for earlier in history[:index]):
            return
        for dag_id in self.proof.after:
            world.run(self.runs[dag_id, step.date], Step("run", step.date))

    def _kept(self, snapshot: Snapshot) -> Snapshot:
        if self.ignore:
            self._raw_states.append(snapshot)
        return snapshot.without(self.ignore)

    def _located(self, task_id: str) -> str:
        where = self._driver.source_of(self.dag_id, task_id)
        if not where:
            return f"task {task_id}"
        path, _, line = where.rpartition(":")
        shown = Path(path)
        if shown.is_relative_to(self.config.root):
            shown = shown.relative_to(self.config.root)
        return f"task {task_id}, at {shown}:{line}"


def _content(snapshot: Snapshot, name: str) -> Mapping[str, Any] | Any:
    if name in snapshot.tables:
        return snapshot.tables[name].rows
    return snapshot.files.get(name)
