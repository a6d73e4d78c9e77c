"""A desk: one world that stays, so that a learner runs a date, looks at the rows, and runs another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg

from dagproof.config.placeholders import POSTGRES
from dagproof.errors import DagproofError
from dagproof.histories import Step
from dagproof.inside.exchange import PlannedRun, RunReport
from dagproof.runs.stage import Stage
from dagproof.worlds.failing import RunFailedError
from dagproof.worlds.metadata import replace_metadata
from dagproof.worlds.worlds import SavedWorld

from .bench import Bench, dag_named


class Ran:
    """One run that has ended: its `state`, its `reason` if it failed, and what became of its tasks."""

    def __init__(self, dag_id: str, step: Step, planned: PlannedRun | None, report: RunReport, why: str) -> None:
        self.dag_id, self.step = dag_id, step
        self.spec: dict[str, Any] = planned.to_json() if planned else {}
        self.state = report.dag_run or report.state or "failed"  # Airflow's own word comes first
        self.reason = why
        self.attempts = [{**one.to_json(), "from": one.begun, "to": one.over} for one in report.tasks]
        """Each try of each task: task_id, map_index, try_number, state, error, and ``from`` and ``to`` (ISO 8601)."""
        self.states = sorted((one.to_json() for one in report.states), key=self._turn)
        """The last state of each task instance, in the order in which they ran; those that never ran come last."""
        self.slots: dict[str, float] = dict(report.slots)
        """Seconds for which each task held a worker slot."""
        self.log: str = ""

    def _turn(self, state: dict[str, Any]) -> int:
        mine = (state["task_id"], state["map_index"])
        turns = [turn for turn, one in enumerate(self.attempts) if (one["task_id"], one["map_index"]) == mine]
        return turns[0] if turns else len(self.attempts)

    def of(self, task_id: str) -> str | None:
        """Return the last state of a task; of a mapped one, of its first instance."""
        return next((one["state"] for one in self.states if one["task_id"] == task_id), None)

    def tasks(self) -> pd.DataFrame:
        """Return a row for each task instance: its last state, its tries, and its error if it has one."""
        errors = {(a["task_id"], a["map_index"]): a.get("error") for a in self.attempts}
        lines = [
            {
                "task": one["task_id"] + (f"[{one['map_index']}]" if one["map_index"] >= 0 else ""),
                "state": one["state"] or "none",
                "tries": one["try_number"],
                # of PostgreSQL's errors the sentence: the statement after it has dollars, which Jupyter takes for TeX
                "error": (errors.get((one["task_id"], one["map_index"])) or "").partition(" LINE 1:")[0],
            }
            for one in self.states
        ]
        return pd.DataFrame(lines, columns=["task", "state", "tries", "error"])

    def __repr__(self) -> str:
        line = f"{self.step.kind} {self.dag_id} {self.step.date}: {self.state}"
        return f"{line}\n  {self.reason}" if self.reason else line


class Desk:
    """A world that stays. Its rows and its runs remain when a DAG file is written anew."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._saved: SavedWorld | None = None
        self._starts = -1
        self._known: dict[str, int] = {}
        self.ran: list[Ran] = []

    def play(self, dag_id: str, step: Step) -> Ran:
        """Let a step happen; a failed run is told, not raised.

        Raises:
            DagproofError: the DAG does not load, or the step makes no sense.
        """
        dag_named(self.bench.home, dag_id)
        lab = self.bench.lab(dag_id, [step.date, *([step.other] if step.other else [])])
        saved = self._world()
        self._teach(saved, (dag_id, *lab.proof.after))
        driver, worlds = self.bench.driver, self.bench.worlds
        log, why = "", ""
        with worlds.world(driver.worker(driver.machines[0]), saved) as world:
            try:
                report = Stage(driver, dag_id, lab.runs).play(world, step)
            except RunFailedError as failure:
                report = failure.report
                if report.dag_run != "success":  # a proof would not let a green run with a failed task pass
                    why, log = str(failure), failure.log_tail
            world.snapshot()  # it waits for the run's sessions to end
            self._saved = worlds.save(world)
        worlds.forget(saved)
        ran = Ran(dag_id, step, lab.runs[dag_id, lab.dates[0]], report, why)
        ran.log = log
        self.ran.append(ran)
        return ran

    def rows(self, query: str) -> pd.DataFrame:
        """Return what an SQL query finds."""
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            return pd.DataFrame(cursor.fetchall() if names else [], columns=names)

    def execute(self, statement: str) -> None:
        """Run an SQL statement on the desk's database."""
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def forget_runs(self) -> None:
        """Delete all runs from the metadata database, as cleaning up does; rows and files stay."""
        replace_metadata(self.bench.worlds.metadata_template, self._world().metadata)
        self._known = {}

    @property
    def files(self) -> Path:
        """The folder of the desk's files; ``DATA_ROOT`` for a run."""
        return self._world().folder / "world" / "files"

    def close(self) -> None:
        """Clear the desk."""
        if self._saved is not None and self._starts == self.bench.starts:
            self.bench.worlds.forget(self._saved)
        self._saved, self._known, self.ran = None, {}, []

    def _conninfo(self) -> str:
        saved = self._world()
        databases = self.bench.worlds.databases
        if databases is None:
            raise DagproofError("this lesson has no database")
        return databases.server.url(saved.databases[POSTGRES])

    def _world(self) -> SavedWorld:
        worlds = self.bench.worlds
        if self._saved is None or self._starts != self.bench.starts:
            driver = self.bench.driver
            if not worlds.metadata_template.exists():
                driver.write_to(worlds.metadata_template, [])
            with worlds.world(driver.worker(driver.machines[0])) as world:
                self._saved = worlds.save(world)
            self._starts, self._known, self.ran = self.bench.starts, {}, []
        return self._saved

    def _teach(self, saved: SavedWorld, dag_ids: Sequence[str]) -> None:
        """Put the newest version of the DAGs into the desk's metadata database."""
        new = [dag_id for dag_id in dag_ids if self._known.get(dag_id) != self.bench.edits]
        if new:
            self.bench.driver.write_to(saved.metadata, new)
            self._known |= dict.fromkeys(new, self.bench.edits)
