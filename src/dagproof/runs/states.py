"""The states that histories leave: each is reached once, in a world of its own, and remembered."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dagproof.errors import DagproofError
from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut, PlannedRun, RunReport
from dagproof.inside.machine import Machine
from dagproof.runs.names import Names
from dagproof.runs.scope import UNSEEN
from dagproof.runs.stage import Stage
from dagproof.stores.diff import differing_names
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds.failing import RunFailedError
from dagproof.worlds.metadata import variables_in
from dagproof.worlds.world import World
from dagproof.worlds.worlds import SavedWorld

if TYPE_CHECKING:
    from dagproof.runs.driver import Driver

#: How many worlds are kept to begin others with.
MOST_SAVED = 12


@dataclass(frozen=True)
class Key:
    """What a state is the state of: what happened, on which machine, and which of several like worlds it was."""

    moves: History
    machine: str
    repeat: int

    def first(self, number: int) -> Key:
        """The same after some of the moves; where data have only arrived, like worlds are one."""
        moves = self.moves[:number]
        return Key(moves, self.machine, self.repeat if any(not move.is_arrival for move in moves) else 0)


@dataclass(frozen=True)
class Written:
    """What was there before the first run of a history and after its last, without what the configuration ignores.

    The data that arrived, and their corrections, were there before.
    """

    before: Snapshot
    after: Snapshot
    changed: frozenset[str]
    """The tables and files that differ, in what is ignored too."""


class States:
    """What the histories of one DAG leave.

    A state is computed once; a run that failed fails again the same way without being run again. Histories that begin
    alike share their beginning: the world is kept there, and copied. One that begins with all of the last goes on in
    its world, as it would have in one that came there again.
    """

    def __init__(self, driver: Driver, dag_id: str, runs: Mapping[tuple[str, str], PlannedRun]) -> None:
        self._proof = driver.config.proof(dag_id)
        self._ignore = frozenset(self._proof.ignore)
        self._driver = driver
        self._worlds = driver.worlds
        self.stage = Stage(driver, dag_id, runs)
        self.names = Names(self._proof)
        self._states: dict[Key, Snapshot | DagproofError] = {}
        self._reports: dict[Key, RunReport] = {}
        self._ran: dict[Key, list[RunReport]] = {}
        self._given: dict[Key, Snapshot] = {}
        """Where nothing has run yet: all that is there, what is ignored too."""
        self._written: dict[Key, Written] = {}
        self._saved: OrderedDict[Key, SavedWorld] = OrderedDict()
        self._passed: Counter[Key] = Counter()
        self._last: tuple[Key, World | None] = (Key((), "", 0), None)
        """The last state that was reached, and its world, which may still stand."""

    def key(self, history: History, machine: Machine, repeat: int = 0) -> Key:
        """Return under what the state after `history` is known."""
        return Key(self.moves(history), machine.place, repeat)

    def state(self, key: Key, machine: Machine) -> Snapshot:
        """Return the content of all stores, without what the configuration ignores.

        Raises:
            DagproofError: a run failed.
        """
        if key not in self._states:
            self._happen(key, machine)
        state = self._states[key]
        if isinstance(state, DagproofError):
            raise state
        return state

    def report(self, key: Key) -> RunReport:
        """Return what the last run of a state that was reached says of itself."""
        return self._reports[key]

    def ran(self, key: Key) -> list[RunReport]:
        """Return what the runs of the last move say of themselves; nothing where it did not happen."""
        return self._ran.get(key, [])

    def written(self, key: Key) -> Written | None:
        """Return what was written on the way to a state; None where no run is on it, or it was not reached."""
        return self._written.get(key)

    def moves(self, history: History) -> History:
        """Return `history` with the arrival of each date's data, where it does not say when that is."""
        moves: list[Step] = []
        there: set[str] = set()
        for step in history:
            for date in (step.date, step.other):
                if date and date not in there and step.needs_data and self._proof.after:
                    moves.append(Step("arrive", date))
                there.add(date)
            if not step.is_arrival or self._proof.after:
                moves.append(step)
        return tuple(moves)

    @contextmanager
    def before_last(self, history: History, machine: Machine) -> Iterator[tuple[World, Step]]:
        """Make a world in which all but the last step of `history` has happened; yield it, and that step."""
        moves = self.moves(history)
        with self._world_after(Key(moves[:-1], machine.place, 0), machine) as world:
            yield world, moves[-1]

    def close(self) -> None:
        """Forget the worlds that were kept."""
        self._worlds.standing.clear()
        while self._saved:
            self._worlds.forget(self._saved.popitem()[1])

    def _happen(self, key: Key, machine: Machine) -> None:
        """Let what `key` says happen; remember the state after each of its moves."""
        at = len(key.moves)
        try:
            with self._begun(key, machine) as (world, done):
                at = done
                if key.first(done) not in self._states:
                    self._remember(key.first(done), world.snapshot())
                for at in range(done + 1, len(key.moves) + 1):
                    now = key.first(at)
                    self._reports[now] = self._play(world, key.moves[at - 1], now)
                    content = world.snapshot()
                    self._remember(now, content)
                    if key.moves[at - 1].is_fault:
                        report = replace(self._reports[now], fingerprint=world.fingerprint(content))
                        self._reports[now] = report
                    if at < len(key.moves):
                        self._keep_world(now, world)
        except DagproofError as error:
            for failed in range(at, len(key.moves) + 1):
                self._states[key.first(failed)] = error

    def _play(self, world: World, move: Step, key: Key) -> RunReport:
        earlier, variables = len(world.reports), dict(variables_in(world.worker.metadata))
        try:
            return self.stage.play(world, move)
        except RunFailedError as failure:
            failure.left = world.snapshot().without(self._ignore)
            raise
        finally:
            reports = world.reports[earlier:]
            if reports:
                left_out = (*reports[-1].left_out, *_changed(variables, world.worker.metadata))
                reports[-1] = replace(reports[-1], left_out=left_out)
            self._ran[key] = reports

    def _nearest_saved(self, key: Key) -> int:
        """Return with how many of the moves of `key` a kept world begins."""
        return next((n for n in range(len(key.moves) - 1, 0, -1) if key.first(n) in self._saved), 0)

    @contextmanager
    def _begun(self, key: Key, machine: Machine) -> Iterator[tuple[World, int]]:
        """Yield a world in which a part of `key` has happened, and how many of its moves; let it stand afterwards."""
        with ExitStack() as stack:
            done, (last, world) = self._nearest_saved(key), self._last
            if world is not None and self._stands(world, machine) and self._is_nearer(key, last, done):
                done = len(last.moves)
                stack.push(self._worlds.standing.take())
                self._keep_world(last, world)
            else:
                world = stack.enter_context(self._world(machine, key.first(done)))
            yield world, done
            self._last = key, world
            self._worlds.standing.leave(world, stack.pop_all())

    def _stands(self, world: World, machine: Machine) -> bool:
        """Tell whether the world still is as its last history has left it, and on this machine."""
        return self._worlds.standing.has(world) and world.machine == machine

    def _is_nearer(self, key: Key, last: Key, saved: int) -> bool:
        """Tell whether the last state is on the way to `key`, and not before the one that is `saved`."""
        number = len(last.moves)
        return saved <= number < len(key.moves) and key.first(number) == last

    @contextmanager
    def _world(self, machine: Machine, begun: Key) -> Iterator[World]:
        """Make a world on `machine` like the one that was kept as `begun`; a fresh one where none was."""
        if begun in self._saved:
            self._saved.move_to_end(begun)  # what is used goes last
        with self._worlds.world(self._driver.worker(machine), self._saved.get(begun)) as world:
            world.machine = machine
            world.scratch = self._proof.scratch
            yield world

    @contextmanager
    def _world_after(self, key: Key, machine: Machine) -> Iterator[World]:
        """Make a world in which the moves of `key` have happened; keep it, for who asks once will ask again."""
        last, stood = self._last
        if stood is not None and key == last and key.moves and key not in self._saved and self._stands(stood, machine):
            self._save(key, stood)
        done = len(key.moves) if key in self._saved else self._nearest_saved(key)
        with self._world(machine, key.first(done)) as world:
            for number, move in enumerate(key.moves[done:], start=done + 1):
                report = self.stage.play(world, move)
                self._reports.setdefault(key.first(number), report)
            if key.moves[done:]:
                world.snapshot()  # it waits for the run's sessions to end
                self._save(key, world)
            yield world

    def _keep_world(self, key: Key, world: World) -> None:
        """Keep the world when it is passed a second time; where data arrive, it will be."""
        self._passed[key] += 1
        if not key.moves or key.moves[-1].leaves_pieces or key in self._saved:
            return
        if self._passed[key] > 1 or key.moves[-1].is_arrival:
            self._save(key, world)

    def _save(self, key: Key, world: World) -> None:
        if len(self._saved) >= MOST_SAVED:
            self._worlds.forget(self._saved.popitem(last=False)[1])
        self._saved[key] = self._worlds.save(world)

    def _remember(self, key: Key, snapshot: Snapshot) -> None:
        if key in self._states:
            return
        state = self._states[key] = snapshot.without(self._ignore)
        self.names.see(snapshot)
        first = next((n for n, move in enumerate(key.moves) if move.runs), None)
        if first is None:
            self._given[key] = snapshot
            return
        begun = key.first(first)
        given, before = self._given.get(begun), self._states.get(begun)
        if given is not None and isinstance(before, Snapshot):
            self._written[key] = Written(before, state, frozenset(differing_names(given, snapshot)))


def _changed(variables: Mapping[str, str], metadata: Path) -> list[LeftOut]:
    """Return those of Airflow's variables that are no longer what they were."""
    now = dict(variables_in(metadata))
    names = sorted(key for key in {*variables, *now} if variables.get(key) != now.get(key))
    return [LeftOut(f"Airflow's variable {name}", UNSEEN) for name in names]
