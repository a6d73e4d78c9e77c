"""DAGs that are generators, in worlds that are dictionaries: proofs in milliseconds, without Airflow or a database.

A load is a generator: it yields before each of its operations, so that it can be killed or held there. What it does in
between happens at once and for good, like a transaction that is committed.
"""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dagproof.config import Config, ProofConfig
from dagproof.histories import History, Step
from dagproof.inside.exchange import DagFacts, Failure, PlannedRun, RunOptions, RunReport, TaskRun, Trip
from dagproof.inside.machine import ELSEWHERE, HERE, Machine
from dagproof.laws import Verdict, law_named
from dagproof.proof.evidence import Evidence
from dagproof.proof.prover import Prover
from dagproof.runs.lab import Lab
from dagproof.runs.points import Point
from dagproof.stores.snapshot import File, Snapshot, Table
from dagproof.worlds.failing import RunFailedError
from dagproof.worlds.standing import Standing

DATES = ("2026-01-01", "2026-01-02")
DAY = timedelta(days=1)
Row = tuple[str, ...]


@dataclass
class Stores:
    """What a world holds: rows by table, files, and the source that nobody compares."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    source: dict[str, list[str]] = field(default_factory=lambda: {date: ["a", "b"] for date in DATES})

    def day(self, date: str) -> list[Row]:
        """The rows that upstream has for a date."""
        return [(item, date) for item in self.source[date]]

    def replace(self, table: str, date: str, rows: Sequence[Row]) -> None:
        """Put rows in the place of those whose last value is the date."""
        self.tables[table] = [row for row in self.tables.get(table, []) if row[-1] != date] + list(rows)

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Append rows."""
        self.tables[table] = self.tables.get(table, []) + list(rows)


@dataclass(frozen=True)
class Here:
    """What a run knows of itself."""

    date: str
    clock: datetime
    machine: Machine
    run_id: str
    attempt: int = 1


Load = Callable[[Stores, Here], Iterator[None]]


class ModelWorld:
    """A world of one history."""

    def __init__(self, worker: Any, stores: Stores | None = None, now: datetime | None = None) -> None:
        self.worker = worker
        self.machine: Machine = worker.machine
        self.scratch: tuple[str, ...] = ()
        self.stores = copy.deepcopy(stores) if stores else Stores()
        self.now = now
        self.reports: list[RunReport] = []

    def snapshot(self) -> Snapshot:
        """Rows as lines, files as bytes."""
        tables = {
            name: Table(
                name,
                tuple(f"c{n}" for n in range(len(rows[0]) if rows else 1)),
                (),
                tuple(sorted("\t".join(row).encode() for row in rows)),
            )
            for name, rows in self.stores.tables.items()
        }
        files = {
            path: File(path, len(text), (text.encode(),), text.encode()) for path, text in self.stores.files.items()
        }
        return Snapshot(tables, files)

    def fingerprint(self, now: Snapshot) -> str:
        """The same for worlds in which the next run finds the same."""
        return repr((now, self.stores.source))


class ModelStage:
    """Lets steps happen to a load."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def play(self, world: ModelWorld, step: Step, options: RunOptions | None = None) -> RunReport:
        """Let a step happen; return what the run says of itself."""
        if step.kind == "arrive":
            return RunReport()
        if step.kind == "correct":
            world.stores.source[step.date] = ["b", "c"]
            return RunReport()
        if step.kind == "outage":
            return self._meet(world, step)
        clock = self._clock(world, step)
        here = Here(step.date, clock, world.machine, f"{'backfill' if step.kind == 'backfill' else 'scheduled'}")
        state = "failed" if step.kind == "crash" else "success"
        report = RunReport("modelled", state, clock=clock.isoformat())
        world.now = clock
        world.reports.append(report)
        try:
            self._happen(world, step, here)
        except LookupError as error:
            raise RunFailedError(f"the {step.kind} failed: {error!r}", "", report) from error
        return report

    def _happen(self, world: ModelWorld, step: Step, here: Here) -> None:
        run = self.load(world.stores, here)
        if step.kind == "crash":
            _until(run, step.point)
        elif step.kind == "overlap":
            other = Here(step.other, here.clock, here.machine, here.run_id)
            _until(run, step.point)
            _whole(self.load(world.stores, other))
            _whole(run)
        else:
            _whole(run)
        if step.kind == "retry":
            _whole(self.load(world.stores, Here(here.date, here.clock, here.machine, here.run_id, 2)))

    def _meet(self, world: ModelWorld, step: Step) -> RunReport:
        """Raise an error in the load at its point, once or at each try; it has two."""
        clock = world.now = self._clock(world, step)
        tries: list[TaskRun] = []
        for attempt in (1, 2):
            here = Here(step.date, clock, world.machine, "scheduled", attempt)
            run: Any = self.load(world.stores, here)  # a generator
            error = None
            try:
                if attempt == 1 or step.lasts:
                    _until(run, step.point)
                    run.throw(ConnectionError(step.error))
                _whole(run)
            except StopIteration:
                pass
            except ConnectionError as met:
                error = repr(met)
            over = (None, None, 0.0, 0.0, clock.isoformat(), clock.isoformat())
            tries.append(TaskRun("load", -1, attempt, "failed" if error else "success", over[0], error, *over[1:]))
            if error is None:
                break
        state = "failed" if error else "success"
        failures = (Failure("load", -1, "failed", error, None, wanted=False),) if error else ()
        report = RunReport(
            "modelled",
            state,
            dag_run=state,
            failures=failures,
            tasks=tuple(tries),
            clock=clock.isoformat(),
            reached=True,
        )
        world.reports.append(report)
        return report

    def _clock(self, world: ModelWorld, step: Step) -> datetime:
        if step.at:
            return datetime.fromisoformat(step.at)
        due = datetime.fromisoformat(step.date).replace(tzinfo=timezone.utc) + DAY
        later = {"run": timedelta(minutes=1), "outage": timedelta(minutes=1), "backfill": 30 * DAY}.get(step.kind, DAY)
        return max(due, world.now or due) + later


def _until(run: Iterator[None], point: str) -> None:
    kind, number = point.split()
    for _ in range(int(number) + (kind == "reply")):
        next(run, None)


def _whole(run: Iterator[None]) -> None:
    for _ in run:
        pass


class ModelLab(Lab):
    """A lab whose worlds are models."""

    def _recorded(self, history: History) -> tuple[list[Point], str, list[Point]]:
        """A point before each operation of the load, which is committed at once, and one behind it."""
        with self.states.before_last(history, HERE) as (world, step):
            here = Here(step.date, datetime.now(tz=timezone.utc), HERE, "scheduled")
            stage: Any = self.states.stage
            stores: Any = getattr(world, "stores")  # noqa: B009 - it is a model
            number = len(list(stage.load(stores, here)))
        numbers = range(1, number + 1)
        return [Point(kind, n, "an operation", "load") for n in numbers for kind in ("message", "reply")], "", []


class ModelEvidence(Evidence):
    """What is known of models."""

    def writer(self, history: History, names: set[str]) -> str | None:
        """There is just one task."""
        return "task load"

    def taken(self, history: History) -> tuple[str, ...]:
        """Nobody is watched."""
        return ()

    def trips(self, history: History, names: set[str]) -> list[Trip]:
        """Nobody is watched."""
        return []


def model_lab(load: Load, root: Path, **proof: Any) -> ModelLab:
    """A lab for a load; `proof` is its configuration."""
    metadata = root / "metadata.db"
    with closing(sqlite3.connect(metadata)) as connection:
        connection.execute("CREATE TABLE variable (key, val)")
    config = Config(root=root, proofs={"modelled": ProofConfig(**{"corrections": {"changed": ""}, **proof})})

    @contextmanager
    def world(worker: Any, saved: ModelWorld | None = None) -> Iterator[ModelWorld]:
        yield ModelWorld(worker, saved.stores, saved.now) if saved else ModelWorld(worker)

    def saved(world: ModelWorld) -> ModelWorld:
        return ModelWorld(world.worker, world.stores, world.now)

    about = DagFacts("modelled.py", tasks={"load": ""})
    driver: Any = SimpleNamespace(
        config=config,
        machines=(HERE, ELSEWHERE),
        worlds=SimpleNamespace(world=world, save=saved, forget=lambda world: None, standing=Standing()),
        worker=lambda machine: SimpleNamespace(machine=machine, metadata=metadata),
        about=lambda dag_id: about,
        not_held=(),
    )
    runs = {
        ("modelled", date): PlannedRun(
            "modelled",
            run_id=date,
            run_type="scheduled",
            run_after=(datetime.fromisoformat(date).replace(tzinfo=timezone.utc) + DAY).isoformat(),
            date=date,
        )
        for date in DATES
    }
    lab = ModelLab(driver, "modelled", runs, DATES)
    lab.states.stage = ModelStage(load)  # type: ignore[assignment]
    return lab


def prove(load: Load, law: str, root: Path, *, max_histories: int, **proof: Any) -> Verdict:
    """Return the verdict of a law about a load."""
    lab = model_lab(load, root, **proof)
    prover = Prover(lab, seed=0, max_histories=max_histories)
    prover.evidence = ModelEvidence(lab)
    return prover.prove(law_named(law))
