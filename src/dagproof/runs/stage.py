"""The stage: lets one step of a history after the other happen in a world."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dagproof.config import ProofConfig
from dagproof.errors import ConfigError, DagproofError, UsageError, nearest
from dagproof.histories import Step
from dagproof.inside.exchange import PlannedArrival, PlannedRun, Retries, RunOptions, RunReport
from dagproof.runs.disturbing import disturbed
from dagproof.runs.points import held, killed, point_named
from dagproof.worlds.metadata import replace_metadata
from dagproof.worlds.world import AS_USUAL, BACKFILL_DELAY, RERUN_DELAY, START_DELAY, World

if TYPE_CHECKING:
    from dagproof.runs.driver import Driver


#: Two runs at once may run into each other's locks and keys; Airflow would try again, and so do they.
RETRIES_OF_OVERLAPS = 2
#: How long a held run waits for the other one at least, in seconds; three times as long as a run took if that is more.
LEAST_PATIENCE = 3.0
#: The steps that take as long as the DAG's run takes.
LIKE_A_RUN = ("run", "rerun", "clear", "backfill", "retry")
#: How a run ends that was killed for what it took: running it again would take as much.
KILLED = ("timeout", "full")


class Stage:
    """What each kind of step does to a world, for one DAG under proof."""

    def __init__(self, driver: Driver, dag_id: str, runs: Mapping[tuple[str, str], PlannedRun]) -> None:
        self.driver = driver
        self.dag_id = dag_id
        self.runs = runs
        self.proof: ProofConfig = driver.config.proof(dag_id)
        self._patience = LEAST_PATIENCE
        self._kinds: dict[str, Callable[[World, Step, RunOptions], RunReport]] = {
            "run": self._run,
            "rerun": self._run,
            "clear": self._run,
            "backfill": self._backfill,
            "retry": self._run,
            "late": self._late,
            "arrive": self._arrive,
            "correct": self._correct,
            "crash": self._crash,
            "outage": self._outage,
            "overlap": self._overlap,
        }

    def play(self, world: World, step: Step, options: RunOptions = AS_USUAL) -> RunReport:
        """Let `step` happen in `world`; return what the run says of itself.

        On the machine that turns, the rows that are there are turned first: what the schema and other DAGs have left.

        Raises:
            RunFailedError: a run that should succeed did not.
        """
        unturned = world.turn_rows() if not step.is_arrival else []
        if step.runs:
            world.renumber()
        if unturned:
            world.reports.append(RunReport(self.dag_id, unturned=tuple(unturned)))
        started = time.monotonic()
        report = self._kinds[step.kind](world, step, options)
        if step.kind in LIKE_A_RUN:
            self._patience = max(self._patience, 3 * (time.monotonic() - started))
        return report

    def _run(self, world: World, step: Step, options: RunOptions) -> RunReport:
        if step.kind == "clear":
            options = replace(options, clear=step.task)
        elif step.kind == "retry":
            options = replace(options, lose=step.task, retries=Retries(least=1))
        pause = START_DELAY if step.kind == "run" else RERUN_DELAY
        return world.run(self._run_of(step.date), self._named(step), at=step.at, pause=pause, options=options)

    def _backfill(self, world: World, step: Step, options: RunOptions) -> RunReport:
        """Run the date as a backfill does, when everything else is long over."""
        run = self._run_of(step.date)
        backfill = replace(run, run_type="backfill", run_id=run.run_id.replace("scheduled__", "backfill__"))
        at = "" if world.now else (run.due + BACKFILL_DELAY).isoformat()  # the first one is late, too
        return world.run(backfill, self._named(step), at=at, pause=BACKFILL_DELAY, options=options)

    def _arrive(self, world: World, step: Step, options: RunOptions) -> RunReport:
        """Run the DAGs that come first, or just the one that the step names, which may stop before one of its tasks."""
        if step.point:
            options = replace(options, stop=step.point.removeprefix("task "), retries=Retries(most=0))
            request = world.request(self.runs[step.task, step.date], at=step.at, options=options)
            world.start(request)
            report = world.worker.finished_run()
            world.ended(report, request)
            return replace(report, clock=request.clock)
        report = RunReport()
        for dag_id in [step.task] if step.task else self.proof.after:
            what = f"the run of {dag_id} for {step.date}"
            report = world.run(self.runs[dag_id, step.date], what, at=step.at, options=options)
        return report

    def _late(self, world: World, step: Step, options: RunOptions) -> RunReport:
        """Start the run when it is due, and let the DAGs that come first run `delay` seconds after that.

        Where the step names one of them, those before it have run already.
        """
        run = self._run_of(step.date)
        first = datetime.fromisoformat(world.request(run, at=step.at).clock) + timedelta(seconds=step.delay)
        arrivals = []
        after = self.proof.after
        for number, dag_id in enumerate(after[after.index(step.task) if step.task else 0 :]):
            when = first + timedelta(minutes=number)
            request = world.request(self.runs[dag_id, step.date], at=when.isoformat(), result="arrival.json")
            arrivals.append(PlannedArrival(when.isoformat(), request))
        return world.run(run, self._named(step), at=step.at, options=replace(options, arrivals=tuple(arrivals)))

    def _correct(self, world: World, step: Step, options: RunOptions) -> RunReport:
        """Change upstream data as the configuration says: by a function, by SQL, or by files laid over the world's."""
        named = self.proof.corrections
        if step.correction not in named:
            raise UsageError(f"{self.dag_id} has no correction {step.correction!r}{nearest(step.correction, named)}")
        where = f"tool.dagproof.proofs.{self.dag_id}.corrections.{step.correction}"
        what = named[step.correction]
        worlds = world.worlds
        if ".py:" in what:
            path, _, name = what.rpartition(":")
            arguments = {"date": step.date, "files": str(worlds.files), "postgres": world.postgres or ""}
            reason = world.worker.call(
                f"{worlds.config.root / path}:{name}",
                arguments,
                result=worlds.run_folder / "result.json",
                timeout=worlds.config.world.timeout,
            )
            if reason:
                raise ConfigError(f"{where}: {what} failed: {reason}")
        elif what.endswith(".sql"):
            worlds.execute(what, where, date=step.date)
        elif (worlds.config.root / what).is_dir():
            shutil.copytree(worlds.config.root / what / step.date, worlds.files, dirs_exist_ok=True)
        else:
            raise ConfigError(f"{where}: {what} is neither a folder, nor an .sql file, nor 'file.py:function'")
        return RunReport()

    def _crash(self, world: World, step: Step, options: RunOptions) -> RunReport:
        options = replace(options, retries=Retries(most=0))
        with killed(world, point_named(step.point)) as kill:
            options = replace(options, files=kill.files or options.files)
            request = world.request(self._run_of(step.date), at=step.at, pause=RERUN_DELAY, options=options)
            kill.started(world.start(request))
            report = world.worker.finished_run()
        world.ended(report, request)
        if report.state == "timeout":
            raise world.failed(self._named(step), report, request)
        return replace(report, clock=request.clock)

    def _outage(self, world: World, step: Step, options: RunOptions) -> RunReport:
        """Let the run meet an error, and come to its end; each task may be tried again, as somebody would clear it."""
        options = replace(options, retries=Retries(least=1))
        with disturbed(world, step) as meets:
            options = replace(options, files=meets.files or options.files, poke=meets.poke)
            request = world.request(self._run_of(step.date), at=step.at, options=options)
            world.start(request)
            report = world.worker.finished_run()
        world.ended(report, request)
        if report.state in KILLED:
            raise world.failed(self._named(step), report, request)
        return replace(report, clock=request.clock, reached=meets.reached(report))

    def _overlap(self, world: World, step: Step, options: RunOptions) -> RunReport:
        """Hold the run at the point, let the other one go past it, and let both come to their ends.

        What failed then runs again, as somebody would clear it. Of one date twice, Airflow has given up the run that is
        held: whether that fails matters to nobody, as long as the other one succeeds.
        """
        other_worker = self.driver.second_worker(world.worker)
        replace_metadata(world.worker.metadata, other_worker.metadata)
        options = replace(options, retries=Retries(least=RETRIES_OF_OVERLAPS))
        other = world.request(self._run_of(step.other), options=options, result="other-result.json")
        with held(world, point_named(step.point)) as hold:
            options = replace(options, files=hold.files or options.files)
            mine = world.request(self._run_of(step.date), options=options)
            pid = world.start(mine)
            reached = hold.wait_until_reached(world.worker)
            pids = (pid, world.start(other, other_worker))
            passed = not reached or hold.wait_until_passed(other_worker, pids, self._patience)
            hold.release()
            reports = [world.worker.finished_run(), other_worker.finished_run()]
        failed = []
        for report, request, date in zip(reports, (mine, other), (step.date, step.other), strict=True):
            world.ended(report, request)
            what = f"the run of {self.dag_id} for {date}, with another at the same time,"
            if report.state in KILLED:
                raise world.failed(what, report, request)
            if report.state != "success":
                failed.append(date)
        if step.date == step.other and reports[1].state == "success":
            failed = []
        for date in dict.fromkeys(failed):
            what = f"the rerun of {self.dag_id} for {date}, after a run that failed with another at the same time,"
            world.run(self._run_of(date), what, pause=RERUN_DELAY)
        first = replace(reports[0], clock=mine.clock, other_clock=other.clock)
        return replace(first, reached=reached, passed=passed, again=tuple(failed))

    def _run_of(self, date: str) -> PlannedRun:
        try:
            return self.runs[self.dag_id, date]
        except KeyError:
            raise DagproofError(f"{date} is not a date of this proof") from None

    def _named(self, step: Step) -> str:
        kind = {"late": "late run", "outage": f"run with an error ({step.error})"}.get(step.kind, step.kind)
        return f"the {kind} of {self.dag_id} for {step.date}"
