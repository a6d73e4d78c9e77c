"""The driver: holds the worlds and the workers, and gives each DAG a lab. It knows no Airflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from dagproof.config import Config
from dagproof.errors import ConfigError, DagproofError, WorkerError
from dagproof.inside.exchange import DagFacts, PlannedRun
from dagproof.inside.machine import HERE, Machine
from dagproof.postgres.server import PostgresServer
from dagproof.postgres.servers import check_kind
from dagproof.runs.lab import Lab
from dagproof.runs.references import check_dag_ids, check_references, check_tasks, misspelt
from dagproof.worlds.metadata import replace_metadata
from dagproof.worlds.worker import Worker
from dagproof.worlds.worlds import Worlds, open_worlds, worker_for


class Driver:
    """Workers on one or more machines, started once and used for as many DAGs as one likes.

    The first machine's worker makes the metadata template; the others load the same DAGs beside it.
    """

    def __init__(self, worlds: Worlds, machines: Sequence[Machine]) -> None:
        self.config: Config = worlds.config
        self.worlds = worlds
        self.machines = tuple(machines)
        self._stack = ExitStack()
        self._workers: dict[str, Worker] = {}
        self._about: dict[str, DagFacts] = {}
        self._behind: set[str] = set()
        self._labs: dict[tuple[str, tuple[str, ...]], Lab] = {}

    def __enter__(self) -> Driver:
        with ExitStack() as stack:
            for machine in self.machines:  # all of them import Airflow at the same time
                worker = worker_for(self.worlds, machine)
                stack.callback(worker.close)
                self._workers[machine.name] = worker
            self.worlds.services.wait()
            stack.callback(self._close_labs)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def catalogue(self) -> tuple[dict[str, Path], dict[str, str]]:
        """Import the whole DAG folder; return each DAG's file, and each file that does not load with its reason.

        Raises:
            ConfigError: the configuration speaks of a DAG whose id is misspelt.
        """
        answer = self._first.catalogue(timeout=self.config.world.timeout)
        if not answer.errors:
            check_dag_ids(self.config, answer.dags)
        return {dag_id: Path(file) for dag_id, file in answer.dags.items()}, dict(answer.errors)

    def lab(self, dag_id: str, dates: Sequence[str] = ()) -> Lab:
        """Return a lab for `dag_id` and the dates to prove (those of the configuration or the schedule by default).

        Until DAGs are read anew, it is the same one for the same dates, and shares its worlds with one for more.

        Raises:
            WorkerError: a DAG is unknown or does not load, or a date is none of its schedule's.
        """
        key = (dag_id, tuple(dates))
        if key not in self._labs:
            known = (lab for (known, _), lab in self._labs.items() if known == dag_id)
            wider = next((lab for lab in known if dates and set(dates) <= set(lab.dates)), None)
            self._labs[key] = wider.over(dates) if wider else self._new_lab(dag_id, dates)
        return self._labs[key]

    def _new_lab(self, dag_id: str, dates: Sequence[str]) -> Lab:
        self.load(dag_id)
        proof = self.config.proof(dag_id)
        named = list(dates or proof.dates)
        own = {run.date: run for run in _distinct(self._first.plan(dag_id, named))}
        planned = tuple(own)
        upstream = {(dag, run.date): run for dag in proof.after for run in self._first.plan(dag, planned)}
        runs = dict(upstream)
        for date, run in own.items():
            consumes = tuple((dag, upstream[dag, date].run_id) for dag in proof.after)
            runs[dag_id, date] = replace(run, consumes=consumes)  # their events, if it is about those
        return Lab(self, dag_id, runs, planned, guessed=not named)

    def load(self, dag_id: str) -> None:
        """Import a DAG, those that run before it, and those that they trigger, where that has not been done.

        Raises:
            ConfigError: the configuration speaks of a DAG or a task whose id is misspelt.
            WorkerError: a DAG is unknown or does not load.
        """
        if dag_id not in self.config.proofs and misspelt(dag_id, self.config.proofs):
            self.catalogue()
        dag_ids = [dag_id, *self.config.proof(dag_id).after]
        self._load(dag_ids)
        self._load_triggered(dag_ids)
        for loaded in self._about:
            check_tasks(self.config, loaded, self._about[loaded].tasks, self._about[loaded].params)

    def worker(self, machine: Machine) -> Worker:
        """Return the worker on `machine`, ready to run what has been loaded."""
        worker = self._workers[machine.name]
        if machine.name in self._behind:
            worker.loaded(self.config.world.timeout)
            self._behind.discard(machine.name)
        return worker

    def reload(self, dag_ids: Iterable[str] | None = None) -> None:
        """Read DAGs anew when they are next asked for, because their files have changed; all of them by default."""
        for dag_id in list(self._about) if dag_ids is None else dag_ids:
            self._about.pop(dag_id, None)
        self._close_labs()

    def write_to(self, metadata: Path, dag_ids: Iterable[str]) -> None:
        """Write DAGs into a metadata database that was kept from before they were loaded.

        Raises:
            WorkerError: a DAG is unknown or does not load.
        """
        first = self._first
        self.worlds.standing.clear()  # its metadata are those that the worker writes to
        own = self.worlds.own / "kept-metadata.db"  # a worker may write there, and not to where worlds are kept
        own.unlink(missing_ok=True)
        if metadata.exists():
            replace_metadata(metadata, own)
        first.start_loading(list(dag_ids), own, makes_template=True)
        self._about.update(first.loaded(self.config.world.timeout))
        replace_metadata(own, metadata)

    def join(self, machine: Machine) -> None:
        """Start a worker on one machine more, with all that is loaded; none where there is one already."""
        if machine.name in self._workers:
            return
        worker = worker_for(self.worlds, machine)
        self._stack.callback(worker.close)
        self._workers[machine.name] = worker
        self.machines = (*self.machines, machine)
        if self._about:
            worker.start_loading(list(self._about), self.worlds.metadata_template, makes_template=False)
            self._behind.add(machine.name)

    def about(self, dag_id: str) -> DagFacts:
        """Return what a worker knows of a DAG that has been loaded."""
        return self._about[dag_id]

    @property
    def not_held(self) -> tuple[str, ...]:
        """What this kernel does not refuse to the C libraries and programs of a run, for people."""
        return self._first.not_held

    def second_worker(self, worker: Worker) -> Worker:
        """Return another worker than `worker`, for a run at the same time.

        Raises:
            DagproofError: there is none.
        """
        for machine in self.machines:
            if machine.name != worker.machine.name:
                return self.worker(machine)
        raise DagproofError("two runs at once need two workers, and this driver has one")

    @property
    def _first(self) -> Worker:
        return self.worker(self.machines[0])

    def _close_labs(self) -> None:
        while self._labs:
            self._labs.popitem()[1].close()

    def _load(self, dag_ids: list[str]) -> None:
        """Load DAGs into every worker: the first is waited for, the others load while it works."""
        missing = [dag_id for dag_id in dag_ids if dag_id not in self._about]
        if not missing:
            return
        self.worlds.standing.clear()  # the worker is about to replace its metadata
        timeout = self.config.world.timeout
        first, *others = self.machines
        self.worker(first).start_loading(missing, self.worlds.metadata_template, makes_template=True)
        self._about.update(self._workers[first.name].loaded(timeout))
        for machine in others:
            self.worker(machine).start_loading(missing, self.worlds.metadata_template, makes_template=False)
            self._behind.add(machine.name)

    def _load_triggered(self, dag_ids: list[str]) -> None:
        """Load the DAGs that these trigger, and so on: their runs happen in the same world."""
        known = list(dag_ids)
        for dag_id in known:
            for task, triggered in self._about[dag_id].triggers.items():
                if triggered in known or any(fnmatchcase(task, pattern) for pattern in self.config.proof(dag_id).tasks):
                    continue
                known.append(triggered)
                try:
                    self._load([triggered])
                except WorkerError as error:
                    reason = str(error).removesuffix(f"; did you mean {dag_id!r}?")
                    raise WorkerError(
                        f"task {task} of {dag_id} triggers {triggered}: {reason}; if it cannot run here, take the task "
                        f"out with tasks in [tool.dagproof.proofs.{dag_id}]"
                    ) from error


def _distinct(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Return the runs, each of them once however often and in whatever spelling its date was given."""
    return list({run.run_id: run for run in reversed(runs)}.values())[::-1]


@contextmanager
def open_driver(
    config: Config, *, postgres: str | PostgresServer = "embedded", machines: Sequence[Machine] = (HERE,)
) -> Iterator[Driver]:
    """Start everything that a proof needs, and stop and remove all of it at the end.

    Raises:
        ServerError: no PostgreSQL can be had. ServiceError: a service does not come up. ConfigError: the configuration
            is wrong, or names no DAG folder.
    """
    if not config.dags_folder.is_dir():
        raise ConfigError(
            f"there is no DAG folder {config.dags_folder}; set it with --dags, or with `dags` in [tool.dagproof]"
        )
    if isinstance(postgres, str):
        check_kind(postgres)  # also where no world has a database: a misspelt option is never right
    check_references(config)
    with open_worlds(config, postgres) as worlds, Driver(worlds, machines) as driver:
        yield driver
