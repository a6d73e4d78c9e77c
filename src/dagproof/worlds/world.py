"""The world that exists now: runs happen in it, one after the other, and snapshots are taken of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dagproof.config import SKIP, Config
from dagproof.config.placeholders import POSTGRES, fill_all
from dagproof.inside.exchange import PlannedRun, RunOptions, RunReport, RunRequest, Watch
from dagproof.postgres.standins import way_out
from dagproof.postgres.wire import Lane
from dagproof.stores import snapshot
from dagproof.stores.database import sequences
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds.databases import prefixed
from dagproof.worlds.failing import RunFailedError, why
from dagproof.worlds.metadata import variables_in
from dagproof.worlds.renumbering import renumber
from dagproof.worlds.runlog import log_tail
from dagproof.worlds.turning import turn_rows
from dagproof.worlds.worker import Worker

if TYPE_CHECKING:
    from dagproof.worlds.worlds import Worlds

#: How long after its due time the scheduler starts a run, and how long after a run it is run again.
START_DELAY = timedelta(minutes=1)
RERUN_DELAY = timedelta(days=1, hours=1)
#: How long after all other runs a backfill is made.
BACKFILL_DELAY = timedelta(days=30, hours=7)
#: A run of which a step wants nothing special.
AS_USUAL = RunOptions()


class World:
    """The world that exists now: runs happen in it, and snapshots are taken of it."""

    def __init__(self, worlds: Worlds, worker: Worker, now: datetime | None = None) -> None:
        self.worlds = worlds
        self.worker = worker
        self.now = now
        """When the last run ended; None when nothing has run."""
        self.machine = worker.machine
        """The machine that its runs believe they are on."""
        self.scratch: tuple[str, ...] = ()
        """What no reader reads: a snapshot has the rows of views over it."""
        self.reports: list[RunReport] = []
        """What each run that ended here says of itself, with its ``dag``."""

    def run(
        self,
        run: PlannedRun,
        what: str,
        *,
        at: str = "",
        pause: timedelta = START_DELAY,
        options: RunOptions = AS_USUAL,
    ) -> RunReport:
        """Run a DAG, as the scheduler would; `what` names the run in an error.

        Raises:
            RunFailedError: the run failed, hung or died.
        """
        request = self.request(run, at=at, pause=pause, options=options)
        self.start(request)
        report = replace(self.worker.finished_run(), clock=request.clock)
        self.ended(report, request)
        if report.state != "success":
            raise self.failed(what, report, request)
        return report

    def request(
        self,
        run: PlannedRun,
        *,
        at: str = "",
        pause: timedelta = START_DELAY,
        options: RunOptions = AS_USUAL,
        result: str = "result.json",
    ) -> RunRequest:
        """Return what a worker is asked for to run a DAG: never before it is due, nor before the last run ended."""
        due = run.due + START_DELAY
        clock = datetime.fromisoformat(at) if at else due if self.now is None else max(due, self.now + pause)
        config = self.worlds.config
        return RunRequest(
            run=run,
            clock=clock.isoformat(),
            machine=self.machine,
            cwd=str(self.worlds.files),
            timeout=config.world.timeout,
            disk=int(config.world.disk * 1_000_000),
            log=str(self.worlds.next_log()),
            result=str(self.worlds.run_folder / result),
            may_fail={dag_id: proof.may_fail for dag_id, proof in config.proofs.items()},
            instead={dag_id: _placed(proof.tasks, config) for dag_id, proof in config.proofs.items()},
            conf={dag_id: self._filled(proof.conf) for dag_id, proof in config.proofs.items()},
            options=options,
            turn=self.databases if self.machine.turns else {},
        )

    def _filled(self, conf: Mapping[str, object]) -> Mapping[str, object]:
        """Return a conf with its placeholders replaced."""
        return {key: fill_all(value, self.worlds.places(self.worker.machine)) for key, value in conf.items()}

    def start(self, request: RunRequest, worker: Worker | None = None) -> int:
        """Begin a run, on another worker than the world's if one is given; return the process id of its child."""
        if worker is None:  # it is the only one in this world
            self.worlds.empty_temporary()
        worker = worker or self.worker
        self.worlds.set_clock(worker.machine, datetime.fromisoformat(request.clock))
        return worker.start_run(request)

    def ended(self, report: RunReport, request: RunRequest) -> None:
        """Note that a run has ended: at the time it says, or as soon as it began where it could not say so."""
        left_out = (*report.left_out, *self.worlds.left_aside())
        self.reports.append(replace(report, left_out=left_out, dag=request.run.dag_id))
        ended = datetime.fromisoformat(report.ended or request.clock)
        self.now = ended if self.now is None else max(self.now, ended)

    def snapshot(self) -> Snapshot:
        """Return the content of all stores."""
        return snapshot.take(self.worlds.conninfos, self.worlds.files, self.worlds.home, scratch=self.scratch)

    def turn_rows(self) -> list[str]:
        """Put the rows that are there into another physical order, where the machine turns; return what was not."""
        if not self.machine.turns:
            return []
        return [prefix + left for prefix, conninfo in self.worlds.conninfos.items() for left in turn_rows(conninfo)]

    def renumber(self) -> None:
        """Let each sequence begin elsewhere, where the machine renumbers."""
        for conninfo in self.worlds.conninfos.values() if self.machine.renumbers else ():
            renumber(conninfo)

    def lane(self) -> Lane | None:
        """The worker's way to the database, on which messages can be counted, lost and held; None without one."""
        return self.worlds.lane(self.worker.machine)

    def fingerprint(self, now: Snapshot) -> str:
        """Return a text that is the same for worlds in which the next run finds the same: with the content `now`.

        Besides that it tells of sequences, of Airflow's variables, and of what is scratch at home.
        """
        digest = hashlib.sha256(repr((now.tables, now.files, now.structure)).encode())
        digest.update(repr(snapshot.scratch_at_home(self.worlds.home)).encode())
        for conninfo in self.worlds.conninfos.values():
            digest.update(repr(sequences(conninfo)).encode())
        digest.update(repr(variables_in(self.worker.metadata)).encode())
        return digest.hexdigest()

    def watch(self, folder: Path) -> Watch:
        """Return what lets a run put a snapshot into the empty `folder` after each task."""
        return Watch(str(folder), self.databases, str(self.worlds.files), str(self.worlds.home), self.scratch)

    @property
    def postgres(self) -> str | None:
        """The address of the world's database as its worker reaches it; None where there is none."""
        return self.worlds.places(self.worker.machine).get(POSTGRES)

    @property
    def databases(self) -> dict[str, str]:
        """The addresses of the world's databases as its worker reaches them, by how the names of tables begin there."""
        return prefixed(self.worlds.addresses(self.worker.machine))

    def failed(self, what: str, report: RunReport, request: RunRequest) -> RunFailedError:
        """Return the error that says why the run that `what` names did not end in success."""
        reason = why(what, report, self.worlds.config.world)
        databases = self.worlds.databases
        hint = way_out(reason, databases.server.kind == "embedded") if databases else ""
        return RunFailedError(reason + hint, log_tail(Path(request.log)), report)


def _placed(instead: Mapping[str, str], config: Config) -> dict[str, str]:
    """Return what tasks are replaced by, with absolute paths."""
    return {task: what if what == SKIP else str(config.root / what) for task, what in instead.items()}
