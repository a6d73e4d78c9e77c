"""What the fixture ``sandbox`` returns: a disposable world in which a test runs one DAG, step by step."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dagproof.errors import DagproofError
from dagproof.histories import Step
from dagproof.inside.exchange import PlannedRun
from dagproof.inside.machine import HERE
from dagproof.report.text import diff_lines
from dagproof.runs.driver import Driver
from dagproof.runs.stage import Stage
from dagproof.stores.diff import Diff, diff
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds.world import World


class SandboxError(DagproofError):
    """A step of a sandbox is not possible, or its run failed; the message says why, in a few lines."""


class Changes:
    """What a step changed in the stores of the world; falsy where nothing did.

    Its text lists the rows and files that differ; pytest shows it when an assertion fails.
    """

    def __init__(self, found: Diff) -> None:
        self._found = found

    def __bool__(self) -> bool:
        return bool(self._found)

    def __repr__(self) -> str:
        lines = diff_lines(self._found, ("before", "after"))
        return f"<changes: {'; '.join(line.strip() for line in lines)}>" if self else "<no changes>"

    def __str__(self) -> str:
        return "\n".join(diff_lines(self._found, ("before", "after"))) if self else "no changes"

    @property
    def names(self) -> set[str]:
        """The tables and files that the step changed; a table of another schema than ``public`` with its schema."""
        return self._found.names


class Sandbox:
    """A disposable world for one DAG: it begins as a world of ``dagproof prove`` does, and lives as long as the test.

    Each step returns what it changed.

    Args:
        driver: what runs the DAG.
        dag_id: the DAG.
        stack: what closes the world.

    Raises:
        SandboxError: the DAG is unknown or does not load, or another sandbox is open.
    """

    def __init__(self, driver: Driver, dag_id: str, stack: ExitStack) -> None:
        __tracebackhide__ = True
        self.dag_id = dag_id
        self._driver = driver
        self._ignore = frozenset(driver.config.proof(dag_id).ignore)
        self._runs: dict[tuple[str, str], PlannedRun] = {}
        self._stage = Stage(driver, dag_id, self._runs)
        self._ran: set[str] = set()
        self._there: set[str] = set()
        if driver.worlds.is_open:
            raise SandboxError("this test has a sandbox open already: open the other one in another test")
        try:
            driver.load(dag_id)
            self._world: World = stack.enter_context(driver.worlds.world(driver.worker(HERE)))
        except DagproofError as error:
            raise SandboxError(str(error)) from None

    def run(self, date: str) -> Changes:
        """Run the date, as the scheduler does when it is due; the DAGs of `after` in the configuration run before it.

        Raises:
            SandboxError: the date has run already, the run failed, or the schedule has no such date.
        """
        __tracebackhide__ = True
        return self._play(Step("run", self._new(date)))

    def rerun(self, date: str) -> Changes:
        """Run a date again, as if all of its tasks had been cleared; see :meth:`run` for the errors."""
        __tracebackhide__ = True
        return self._play(Step("rerun", self._known(date)))

    def clear(self, date: str, task: str) -> Changes:
        """Run a task of a date again, and all tasks after it, as if it had been cleared with *downstream*."""
        __tracebackhide__ = True
        return self._play(Step("clear", self._known(date), task=task))

    def backfill(self, date: str) -> Changes:
        """Run a date that has not run as a backfill does: long after everything else."""
        __tracebackhide__ = True
        return self._play(Step("backfill", self._new(date)))

    def correct(self, date: str, correction: str) -> Changes:
        """Change the upstream data of a date as ``corrections`` in the configuration says."""
        __tracebackhide__ = True
        return self._play(Step("correct", date, correction=correction))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table or view (``name`` or ``schema.name``) as dictionaries, ordered by all columns.

        Raises:
            SandboxError: the world has no database.
            psycopg.Error: PostgreSQL refuses; there is no such table, say.
        """
        name = sql.Identifier(*table.split("."))
        with psycopg.connect(self.postgres, row_factory=dict_row) as connection:
            found = connection.execute(sql.SQL("SELECT * FROM {} AS t ORDER BY t::text").format(name))
            return found.fetchall()

    @property
    def postgres(self) -> str:
        """The address of the world's database, to look at it and to change it.

        Raises:
            SandboxError: the world has none.
        """
        if not (conninfo := self._driver.worlds.conninfos.get("")):
            raise SandboxError("this world has no database: no connection in [tool.dagproof.world] names {postgres}")
        return conninfo

    @property
    def files(self) -> Path:
        """The folder that ``{files}`` stands for in the configuration; runs begin there."""
        return self._driver.worlds.files

    def _new(self, date: str) -> str:
        __tracebackhide__ = True
        if date in self._ran:
            raise SandboxError(f"{date} has run in this sandbox; use rerun({date!r}), or take another date")
        return date

    def _known(self, date: str) -> str:
        __tracebackhide__ = True
        if date not in self._ran:
            known = ", ".join(sorted(self._ran)) or "none"
            raise SandboxError(
                f"{date} has not run in this sandbox (dates that have: {known}); use run({date!r}) first"
            )
        return date

    def _play(self, step: Step) -> Changes:
        __tracebackhide__ = True
        try:
            self._runs.update(self._driver.lab(self.dag_id, [step.date]).runs)
            if step.date not in self._there:
                self._stage.play(self._world, Step("arrive", step.date))
                self._there.add(step.date)
            before = self._snapshot()
            self._stage.play(self._world, step)
            if step.runs:
                self._ran.add(step.date)
            return Changes(diff(before, self._snapshot()))
        except DagproofError as error:
            raise SandboxError(str(error)) from None

    def _snapshot(self) -> Snapshot:
        return self._world.snapshot().without(self._ignore)
