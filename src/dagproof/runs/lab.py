"""The lab: lets histories happen in fresh worlds and remembers the state that each one left."""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagproof.config import Config
from dagproof.errors import DagproofError
from dagproof.histories import History, Step
from dagproof.inside.exchange import DagFacts, LeftOut, PlannedRun, RunOptions, RunReport, Trip
from dagproof.inside.machine import HERE, Machine
from dagproof.runs.points import Point, recorded
from dagproof.runs.scope import UNSEEN, Scope
from dagproof.runs.stage import Stage
from dagproof.stores.diff import Diff, Unstable, diff, differing_columns, unstable
from dagproof.stores.snapshot import Snapshot, saved_after_tasks
from dagproof.stores.structurediff import noted
from dagproof.worlds.metadata import variables_in
from dagproof.worlds.world import RunFailedError, SavedWorld, World

if TYPE_CHECKING:
    from dagproof.runs.driver import Driver

#: How many worlds are kept to begin others with.
MOST_SAVED = 12
#: How many fresh runs have to give the same number of rows before another number says anything.
RUNS_THAT_AGREE = 4
#: Steps after which the world may be in pieces, so that it is not kept.
_VIOLENT = ("crash", "overlap")


@dataclass(frozen=True)
class _Key:
    """What a state is the state of: what happened, on which machine, and which of several like worlds it was."""

    moves: History
    machine: str
    repeat: int

    def first(self, number: int) -> _Key:
        """The same after some of the moves; where data have only arrived, like worlds are one."""
        moves = self.moves[:number]
        return _Key(moves, self.machine, self.repeat if any(move.kind != "arrive" for move in moves) else 0)


class Lab:
    """Where the histories of one DAG happen.

    Snapshots are given without what the configuration ignores. A state is computed once; a run that failed fails
    again the same way without being run again. Histories that begin alike share their beginning: the world is kept
    there, and copied.
    """

    def __init__(
        self,
        driver: Driver,
        dag_id: str,
        runs: Mapping[tuple[str, str], PlannedRun],
        dates: Sequence[str],
        *,
        guessed: bool = False,
    ) -> None:
        self.dag_id = dag_id
        self.config: Config = driver.config
        self.proof = driver.config.proof(dag_id)
        self.ignore = frozenset(self.proof.ignore)
        self.runs = runs
        self.dates = tuple(dates)
        """The dates to prove."""
        self.guessed = self.dates if guessed else ()
        """The dates, where nobody has named any: there need not be data for each of them."""
        self._driver = driver
        self._worlds = driver.worlds
        self._stage = Stage(driver, dag_id, runs)
        self._states: dict[_Key, Snapshot | DagproofError] = {}
        self._reports: dict[_Key, RunReport] = {}
        self._ran: dict[_Key, list[RunReport]] = {}
        self._raw: dict[_Key, Snapshot] = {}
        self._saved: OrderedDict[_Key, SavedWorld] = OrderedDict()
        self._passed: Counter[_Key] = Counter()
        self._points: dict[History, tuple[list[Point], str]] = {}
        self._noise: dict[tuple[str, str], frozenset[str] | None] = {}
        self.healed: dict[tuple[str, History], Any] = {}
        """What running again made of the worlds that crashes had left: by fingerprint, and by what came before."""
        self.scope = Scope()
        """What the proof that is under way has looked at so far."""
        self._looked: dict[_Key, None] = {}

    def over(self, dates: Sequence[str]) -> Lab:
        """Return the same lab for some of its dates: what has happened in one is known in the other."""
        lab = copy.copy(self)
        lab.dates, lab.guessed = tuple(dict.fromkeys(dates)), ()
        lab.begin()
        return lab

    @property
    def about(self) -> DagFacts:
        """What the worker says of the DAG: its tasks, sensors, and what it forbids."""
        return self._driver.about(self.dag_id)

    @property
    def not_held(self) -> tuple[str, ...]:
        """What this kernel does not refuse to the C libraries and programs of a run, for people."""
        return self._driver.not_held

    @property
    def has_two_workers(self) -> bool:
        """Whether two runs can be at work at the same time."""
        return len(self._driver.machines) > 1

    def state(self, history: History, *, machine: Machine = HERE, repeat: int = 0) -> Snapshot:
        """Return the content of all stores after `history`, in a fresh world on `machine`.

        `repeat` tells apart fresh worlds in which the same history happens again.

        Raises:
            DagproofError: a run of the history failed.
        """
        key = _Key(self._moves(history), machine.place, repeat)
        self._looked[key] = None
        if key not in self._states:
            self._happen(key, machine)
        state = self._states[key]
        if isinstance(state, DagproofError):
            raise state
        return state

    def begin(self) -> None:
        """Forget what the last proof has looked at: another one begins."""
        self.scope = Scope()
        self._looked = {}

    def diff(self, before: Snapshot, after: Snapshot) -> Diff:
        """Return how `after` differs from `before`, and note that what is in them was compared."""
        self.scope.compared.add(before, after)
        for what in noted(before.structure, after.structure):
            self.scope.leave_out(what, "not compared, although they differ")
        return diff(before, after)

    def ran(self, *histories: History) -> Iterator[RunReport]:
        """Yield what each run of the histories says of itself, of whichever DAG (``dag``).

        Without any, it is those that the proof under way has looked at.
        """
        keys = (whole.first(n) for whole in self._keys(histories) for n in range(len(whole.moves) + 1))
        for key in dict.fromkeys(keys):
            yield from self._ran.get(key, ())

    def written(self, *histories: History) -> Iterator[tuple[Snapshot, Snapshot]]:
        """Yield all that was there before and after each of the histories, what the configuration ignores, too.

        The data that arrived, and their corrections, were there before. Without any history, it is those that the proof
        under way has looked at.
        """
        for key in self._keys(histories):
            first = next((n for n, move in enumerate(key.moves) if move.kind not in ("arrive", "correct")), None)
            if first is not None and key in self._raw and key.first(first) in self._raw:
                yield self._raw[key.first(first)], self._raw[key]

    def _keys(self, histories: Sequence[History]) -> list[_Key]:
        return [_Key(self._moves(history), HERE.name, 0) for history in histories] or list(self._looked)

    def report(self, history: History, *, machine: Machine = HERE) -> RunReport:
        """Return what the last run of `history` says of itself.

        Raises:
            DagproofError: a run of the history failed.
        """
        self.state(history, machine=machine)
        return self._reports[_Key(self._moves(history), machine.place, 0)]

    def before(self, history: History) -> Snapshot:
        """Return the content of all stores before the first step of `history`, the DAGs that run first included."""
        return self.state((Step("arrive", history[0].date),))

    def noise(self, dates: Sequence[str], *, machines: Sequence[Machine] = (HERE,)) -> frozenset[str] | None:
        """Return ``table.column`` of all in which two fresh runs of one of the dates differ; None for whole rows.

        Where a run may also happen on another one of the `machines`, so may what fresh runs differ in.
        """
        found: set[str] = set()
        for date in dates:
            for machine in machines:
                key = (date, machine.name)
                once, repeat = (Step("run", date),), int(machine is HERE)
                first, again = self.state(once), self.state(once, machine=machine, repeat=repeat)
                if key not in self._noise:
                    if machine.turns and diff(first, again):  # here, nothing is turned
                        again = self.state(once, machine=machine.in_order())
                    self._noise[key] = differing_columns(diff(first, again))
                noise = self._noise[key]
                if noise is None:
                    return None
                found |= noise
        return frozenset(found)

    def unstable(self, dates: Sequence[str]) -> Unstable | None:
        """Return what fresh runs of the dates agree about in number only; None where they do not even do that."""
        found = Unstable()
        for date in dates:
            first, *others = (self.state((Step("run", date),), repeat=n) for n in range(RUNS_THAT_AGREE))
            for other in others:
                more = unstable(diff(first, other))
                if more is None:
                    return None
                found |= more
        return found

    def points(self, history: History) -> tuple[list[Point], str]:
        """Return the points at which the last run of `history` can be cut off, and a sentence on those left out."""
        moves = self._moves(history)
        if moves not in self._points:
            with self._world_after(_Key(moves[:-1], HERE.place, 0), HERE) as world, recorded(world) as run:
                report = self._stage.play(world, moves[-1], RunOptions(files=run.files))
                self._points[moves] = run.points(report)
        return self._points[moves]

    def point(self, history: History) -> Point | None:
        """Return the point of the last step of `history` that has one, with what happens there; None without any."""
        for n, step in reversed(list(enumerate(history))):
            if step.point:
                kind = "rerun" if any(earlier.date == step.date for earlier in history[:n]) else "run"
                same = tuple(earlier for earlier in history[:n] if earlier.date == step.date and not earlier.point)
                points, _ = self.points((*same, Step(kind, step.date)))
                return next((point for point in points if point.name == step.point), None)
        return None

    def trips(self, history: History, names: set[str]) -> list[Trip]:
        """Return who asked for the time, something random or the machine's name in the last run of `history`.

        What was asked for after the last write to one of the tables or files `names` is left out. The user's own lines
        come first, and then those that call a library which asks.
        """
        moves = self._moves(history)
        folders = [self.config.dags_folder, *(self.config.root / path for path in self.config.pythonpath)]
        with self._world_after(_Key(moves[:-1], HERE.place, 0), HERE) as world, recorded(world) as run:
            options = RunOptions(files=run.files, tripwire=tuple(map(str, folders)))
            report = self._stage.play(world, moves[-1], options)
            until = run.last_write(report, names)
        before = [trip for trip in report.trips if trip.at <= until]
        return sorted(before, key=lambda trip: not trip.own)

    def writer(self, history: History, names: set[str], machine: Machine = HERE) -> str | None:
        """Return the task that last changed one of the tables or files `names`.

        It is one of the last step of `history`, or of the last one before it that left them other than they were.
        Where none of them is there, because each run gives its files other names, it is the task that last changed
        anything. The answer reads ``load_users, at etl/users.py:88``, without the line where that is not known, and
        with ``in step 1`` where that is not the last step.
        """
        task = self._writer_of_last(history, names, machine)
        if task is not None:
            return self.located(task)
        for number in range(len(history) - 1, 0, -1):
            before, after = (self.state(history[:n], machine=machine) for n in (number - 1, number))
            if any(_content(before, name) != _content(after, name) for name in names):
                task = self._writer_of_last(history[:number], names, machine)
                return None if task is None else f"{self.located(task)}, in step {number}"
        return None

    def _writer_of_last(self, history: History, names: set[str], machine: Machine) -> str | None:
        """Return the task that, in the last step of `history`, last changed one of `names`; None where none has."""
        moves = self._moves(history)
        into = self._worlds.run_folder / "after-tasks"
        with self._world_after(_Key(moves[:-1], machine.place, 0), machine) as world:
            into.mkdir()
            snapshots = [("", world.snapshot())]
            callback = "on_success_callback"
            try:
                self._stage.play(world, moves[-1], RunOptions(watch=world.watch(into)))
            except RunFailedError:
                callback = "on_failure_callback"
            snapshots += [(task_id, snapshot) for task_id, _, snapshot in saved_after_tasks(into)]
            if moves[-1].kind == "crash":
                snapshots.append(("", world.snapshot()))  # what the task has left that was cut off
            elif callback in self.about.callbacks:  # Airflow calls it when all tasks are done
                snapshots.append((f"{callback} of the DAG", world.snapshot()))
        states = [state for _, state in snapshots]
        if not any(_content(state, name) for state in states for name in names):
            names = {name for state in states for name in (*state.tables, *state.files, *state.structure)}
        writers = [
            task_id
            for (task_id, after), before in zip(snapshots[1:], states, strict=False)
            if any(_content(before, name) != _content(after, name) for name in names)
        ]
        if writers[-1:] == [""]:
            point = self.point(history)
            return (point and point.task) or None
        return writers[-1] if writers else None

    def located(self, task_id: str) -> str:
        """Return ``task load_users, at etl/users.py:88``, without the place where it is not known.

        Of a callback, it is ``the on_success_callback of task load_users``.
        """
        if "_callback of " in task_id:
            return f"the {task_id}"
        line = self.located_line(self.about.tasks.get(task_id))
        return f"task {task_id}, at {line}" if line else f"task {task_id}"

    def located_line(self, where: str | None) -> str | None:
        """Return ``file.py:line`` with the file as the user would write it; None for nothing."""
        path, _, line = (where or "").rpartition(":")
        return f"{self.shown(path)}:{line}" if path else None

    def shown(self, path: str) -> str:
        """Return `path` as the user would write it."""
        return str(Path(path).relative_to(self.config.root)) if Path(path).is_relative_to(self.config.root) else path

    def seen_states(self) -> list[Snapshot]:
        """Return all states seen so far, with what the configuration ignores."""
        return list(self._raw.values())

    def close(self) -> None:
        """Forget the worlds that were kept."""
        while self._saved:
            self._worlds.forget(self._saved.popitem()[1])

    def _moves(self, history: History) -> History:
        """Return `history` with the arrival of each date's data, where it does not say when that is."""
        moves: list[Step] = []
        there: set[str] = set()
        for step in history:
            for date in (step.date, step.other):
                if date and date not in there and step.kind not in ("arrive", "late") and self.proof.after:
                    moves.append(Step("arrive", date))
                there.add(date)
            if step.kind != "arrive" or self.proof.after:
                moves.append(step)
        return tuple(moves)

    def _happen(self, key: _Key, machine: Machine) -> None:
        """Let what `key` says happen; remember the state after each of its moves."""
        done = self._nearest_saved(key)
        at = done
        try:
            with self._world(machine, key.first(done)) as world:
                self._remember(key.first(done), world.snapshot())
                for at in range(done + 1, len(key.moves) + 1):
                    now = key.first(at)
                    self._reports[now] = self._play(world, key.moves[at - 1], now)
                    content = world.snapshot()
                    self._remember(now, content)
                    if key.moves[at - 1].kind == "crash":
                        report = replace(self._reports[now], fingerprint=world.fingerprint(content))
                        self._reports[now] = report
                    if at < len(key.moves):
                        self._keep_world(now, world)
        except DagproofError as error:
            for failed in range(at, len(key.moves) + 1):
                self._states[key.first(failed)] = error

    def _play(self, world: World, move: Step, key: _Key) -> RunReport:
        earlier, variables = len(world.reports), dict(variables_in(world.worker.metadata))
        try:
            return self._stage.play(world, move)
        except RunFailedError as failure:
            failure.left = world.snapshot().without(self.ignore)
            raise
        finally:
            reports = world.reports[earlier:]
            if reports:
                left_out = (*reports[-1].left_out, *_changed(variables, world.worker.metadata))
                reports[-1] = replace(reports[-1], left_out=left_out)
            self._ran[key] = reports

    def _nearest_saved(self, key: _Key) -> int:
        """Return with how many of the moves of `key` a kept world begins."""
        return next((n for n in range(len(key.moves) - 1, 0, -1) if key.first(n) in self._saved), 0)

    @contextmanager
    def _world(self, machine: Machine, begun: _Key) -> Iterator[World]:
        """Make a world on `machine` like the one that was kept as `begun`; a fresh one where none was."""
        with self._worlds.world(self._driver.worker(machine), self._saved.get(begun)) as world:
            world.machine = machine
            world.scratch = self.proof.scratch
            yield world

    @contextmanager
    def _world_after(self, key: _Key, machine: Machine) -> Iterator[World]:
        """Make a world in which the moves of `key` have happened; keep it, for who asks once will ask again."""
        done = len(key.moves) if key in self._saved else self._nearest_saved(key)
        with self._world(machine, key.first(done)) as world:
            for number, move in enumerate(key.moves[done:], start=done + 1):
                report = self._stage.play(world, move)
                self._reports.setdefault(key.first(number), report)
            if key.moves[done:]:
                world.snapshot()  # it waits for the run's sessions to end
                self._save(key, world)
            yield world

    def _keep_world(self, key: _Key, world: World) -> None:
        """Keep the world when it is passed a second time; where data arrive, it will be."""
        self._passed[key] += 1
        if key.moves[-1].kind in _VIOLENT or key in self._saved:
            return
        if self._passed[key] > 1 or key.moves[-1].kind == "arrive":
            self._save(key, world)

    def _save(self, key: _Key, world: World) -> None:
        if len(self._saved) >= MOST_SAVED:
            self._worlds.forget(self._saved.popitem(last=False)[1])
        self._saved[key] = self._worlds.save(world)

    def _remember(self, key: _Key, snapshot: Snapshot) -> None:
        if key not in self._states:
            self._raw[key] = snapshot
            self._states[key] = snapshot.without(self.ignore)


def _changed(variables: Mapping[str, str], metadata: Path) -> list[LeftOut]:
    """Return those of Airflow's variables that are no longer what they were."""
    now = dict(variables_in(metadata))
    names = sorted(key for key in {*variables, *now} if variables.get(key) != now.get(key))
    return [LeftOut(f"Airflow's variable {name}", UNSEEN) for name in names]


def _content(snapshot: Snapshot, name: str) -> Any:
    """Return what is compared under a name: rows, and what is on the table; a file; None where nothing is."""
    table, parts = snapshot.tables.get(name), snapshot.structure.get(name)
    return (table and table.rows, parts) if table or parts else snapshot.files.get(name)
