"""The lab: lets histories happen in fresh worlds and remembers the state that each one left."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from dagproof.config import SKIP, Config
from dagproof.histories import History, Step
from dagproof.inside.exchange import DagFacts, LeftOut, PlannedRun, RunOptions, RunReport
from dagproof.inside.machine import HERE, Machine
from dagproof.runs.generated import GeneratedKeys
from dagproof.runs.points import Point, recorded
from dagproof.runs.scope import NOT_RUN, NOT_TRIED, Scope
from dagproof.runs.states import Key, States, Written
from dagproof.stores import versions
from dagproof.stores.diff import Diff, Unstable, diff, differing_columns, unstable
from dagproof.stores.snapshot import Snapshot
from dagproof.stores.structurediff import noted

if TYPE_CHECKING:
    from dagproof.runs.driver import Driver

#: How many fresh runs have to give the same number of rows before another number says anything.
RUNS_THAT_AGREE = 4
CURRENT_ONLY = "compared by its current rows only"


class Lab:
    """Where the histories of one DAG happen.

    Snapshots are given without what the configuration ignores.
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
        self.states = States(driver, dag_id, runs)
        self._points: dict[History, tuple[list[Point], str, list[Point]]] = {}
        self._noise: dict[tuple[str, str], frozenset[str] | None] = {}
        self.healed: dict[tuple[str, History, str], Any] = {}
        """What running again made of the worlds that faults had left: by fingerprint, the steps beside it, and law."""
        self.scope = Scope()
        """What the proof that is under way has looked at so far."""
        self._looked: dict[Key, None] = {}
        self._keys_read: GeneratedKeys | None = None

    def over(self, dates: Sequence[str]) -> Lab:
        """Return the same lab for some of its dates: what has happened in one is known in the other."""
        lab = copy.copy(self)
        lab.dates, lab.guessed = tuple(dict.fromkeys(dates)), ()
        lab._keys_read = None
        lab.begin()
        return lab

    @property
    def about(self) -> DagFacts:
        """What the worker says of the DAG: its tasks, sensors, and what it forbids."""
        return self._driver.about(self.dag_id)

    def taken_out(self) -> Iterator[LeftOut]:
        """Yield what runs do not do as they would in production: the tasks that are taken out, and their conf."""
        for dag_id in (self.dag_id, *self.proof.after):
            proof, of = self.config.proof(dag_id), "" if dag_id == self.dag_id else f" of {dag_id}"
            for pattern, what in proof.tasks.items():
                why = NOT_RUN if what == SKIP else f"{NOT_RUN}, with {what} called instead"
                names = [task for task in self._driver.about(dag_id).tasks if fnmatchcase(task, pattern)]
                yield from (LeftOut(name + of, why, "tasks") for name in names)
            if proof.conf:
                yield LeftOut(f"a conf{of} other than {json.dumps(proof.conf)}", NOT_TRIED, "conf")

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
        key = self.states.key(history, machine, repeat)
        self._looked[key] = None
        return self.states.state(key, machine)

    def begin(self) -> None:
        """Forget what the last proof has looked at: another one begins."""
        self.scope = Scope()
        self._looked = {}

    def diff(self, before: Snapshot, after: Snapshot) -> Diff:
        """Return how `after` differs from `before`, and note that what is in them was compared.

        Generated keys are read as the configuration says: up to other values, or as they are.
        """
        self.scope.compared.add(before, after)
        for what in noted(before.structure, after.structure):
            self.scope.leave_out(what, "not compared, although they differ")
        return diff(before, self.renamed(before, after))

    def renamed(self, before: Snapshot, after: Snapshot) -> Snapshot:
        """Return `after` with its generated keys named as in `before`, where the reading of them allows it."""
        if self._keys_read is None:
            self._keys_read = GeneratedKeys(self)
        return self._keys_read.renamed(before, after)

    def as_history(self, before: Snapshot, after: Snapshot, *, all_versions: bool) -> tuple[Snapshot, Snapshot]:
        """Return what is compared of two snapshots where tables keep history.

        Logs keep what they have, and may have more. Tables of versions are compared as a whole with `all_versions`, and
        by their current rows otherwise.
        """
        how = self.keeping_history(before, after)
        if not how:
            return before, after
        whole = versions.without_current((before, after), how)
        for name, of in how.items():
            if not of.ends:
                self.scope.leave_out(name, "may have more rows, and must keep those that it has", "history")
            elif not all_versions:
                why = "compared as a whole, as none of its rows is current" if name in whole else CURRENT_ONLY
                self.scope.leave_out(name, f"{why} ({', '.join(of.ends)})", "history")
        if not all_versions:
            read = {name: of for name, of in how.items() if name not in whole}
            before, after = versions.current(before, read), versions.current(after, read)
        return before, versions.kept(before, self.renamed(before, after), how)

    def open_ended(self, *snapshots: Snapshot) -> list[Snapshot]:
        """Return the snapshots without what says that a version has ended: a later run may end it."""
        how = self.keeping_history(*snapshots)
        for name, of in how.items():
            for column in of.ends:
                self.scope.leave_out(f"{name}.{column}", "not compared, as a later run may end a version", "history")
        return [versions.open_ended(snapshot, how) for snapshot in snapshots]

    def keeping_history(self, *snapshots: Snapshot) -> dict[str, versions.Versions]:
        """Return the tables of the snapshots of which the configuration says that they keep history, and how."""
        return versions.named(snapshots, self.proof.history, self.states.names.columns)

    def ran(self, *histories: History) -> Iterator[RunReport]:
        """Yield what each run of the histories says of itself, of whichever DAG (``dag``).

        Without any, it is those that the proof under way has looked at.
        """
        keys = (whole.first(n) for whole in self._keys(histories) for n in range(len(whole.moves) + 1))
        for key in dict.fromkeys(keys):
            yield from self.states.ran(key)

    def written(self, *histories: History) -> Iterator[Written]:
        """Yield what was written by each of the histories; without any, by those that the proof has looked at."""
        found = (self.states.written(key) for key in self._keys(histories))
        yield from (written for written in found if written is not None)

    def _keys(self, histories: Sequence[History]) -> list[Key]:
        return [self.states.key(history, HERE) for history in histories] or list(self._looked)

    def report(self, history: History, *, machine: Machine = HERE) -> RunReport:
        """Return what the last run of `history` says of itself.

        Raises:
            DagproofError: a run of the history failed.
        """
        self.state(history, machine=machine)
        return self.states.report(self.states.key(history, machine))

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
                    found_now = diff(first, self.renamed(first, again))
                    if machine.turns and found_now:  # here, nothing is turned
                        again = self.state(once, machine=machine.in_order())
                        found_now = diff(first, self.renamed(first, again))
                    self._noise[key] = differing_columns(found_now)
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
                more = unstable(diff(first, self.renamed(first, other)))
                if more is None:
                    return None
                found |= more
        return found

    def points(self, history: History) -> tuple[list[Point], str]:
        """Return the points at which the last run of `history` can be cut off, and a sentence on those left out."""
        return self._recorded(history)[:2]

    def places(self, history: History) -> list[Point]:
        """Return the points at which the last run of `history` can only meet an error."""
        return self._recorded(history)[2]

    def _recorded(self, history: History) -> tuple[list[Point], str, list[Point]]:
        moves = self.states.moves(history)
        if moves not in self._points:
            with self.states.before_last(history, HERE) as (world, step), recorded(world) as run:
                report = self.states.stage.play(world, step, RunOptions(files=run.files))
                self._points[moves] = (*run.points(report), run.places(report))
        return self._points[moves]

    def point(self, history: History) -> Point | None:
        """Return the point of the last step of `history` that has one, with what happens there; None without any."""
        for n, step in reversed(list(enumerate(history))):
            if step.point and not step.is_arrival:
                kind = "rerun" if any(earlier.date == step.date for earlier in history[:n]) else "run"
                same = tuple(
                    earlier
                    for earlier in history[:n]
                    if (earlier.date == step.date or step.kind == "outage") and not earlier.point
                )
                points, _, places = self._recorded((*same, Step(kind, step.date)))
                return next((point for point in (*points, *places) if point.name == step.point), None)
        return None

    def close(self) -> None:
        """Forget the worlds that were kept."""
        self.states.close()
