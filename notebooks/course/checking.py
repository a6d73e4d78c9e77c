"""What checks of exercises are written with. None of it prints; a check that returns is content."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dagproof.histories import Step
from dagproof.laws import Verdict
from dagproof.laws.verdict import ERROR, FALSIFIED, PROVEN
from dagproof.report.text import failure_text

from .bench import dag_named
from .desk import Desk, Ran
from .suites import HEALTHY, TOO_SLOW, Mutant, Results, run_suite

if TYPE_CHECKING:
    from .bench import Bench


class IncorrectError(Exception):
    """The answer is wrong; the message says why, with the learner's own rows."""


class BrokenError(Exception):
    """The answer does not work at all: the DAG does not load, or its run fails."""


def expect(condition: object, message: str) -> None:
    """Find the answer wrong unless `condition` is true."""
    if not condition:
        raise IncorrectError(message)


def same_rows(found: pd.DataFrame, wanted: pd.DataFrame, what: str) -> None:
    """Find the answer wrong unless both hold the same rows, in any order; every column of `wanted` is compared.

    Values are compared as text, so that they may come from a query or from :meth:`Examiner.left`.
    """
    columns = list(wanted.columns)
    there, due = (frame[columns].astype(str).sort_values(columns).reset_index(drop=True) for frame in (found, wanted))
    expect(there.equals(due), f"{what} should hold\n{shown(due, 15)}\nIt holds\n{shown(there, 15)}")


def orders_of(tables: Mapping[str, pd.DataFrame], *dates: str) -> pd.DataFrame:
    """Return what loading the orders placed on some dates should give: number, customer, total and dt."""
    placed = tables["placed_orders"]
    days = placed.placed_at.str[:10]
    return placed.assign(dt=days)[days.isin(dates)][["number", "customer", "total", "dt"]]


def shown(frame: pd.DataFrame, most: int = 10) -> str:
    """Return rows as text, for a message."""
    text = frame.head(most).to_string(index=False) if len(frame) else "(no row)"
    return text + (f"\n… and {len(frame) - most} more" if len(frame) > most else "")


def found_in(home: Path, dag_id: str, *options: str) -> tuple[str, bool]:
    """Return what ``dagproof check --no-import`` prints about a DAG file, and whether it finds nothing."""
    path = f"dags/{dag_named(home, dag_id)}.py"
    command = [sys.executable, "-m", "dagproof.cli", "check", "--no-import", "--no-cache", path, *options]
    ended = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    return (ended.stdout + ended.stderr).strip(), ended.returncode == 0


def suite_that_ends(home: Path, suite: str, mutants: Mapping[str, Mutant] = {}) -> dict[str, Results]:
    """Run a test suite against the code of a lesson, and against its mutants.

    Raises:
        BrokenError: a file is not there, or the suite does not end even for the code without a fault.
    """
    for file in [suite, *(file for file, _, _ in mutants.values())]:
        if not (home / file).exists():
            raise BrokenError(f"there is no {file} yet; run the cell that writes it")
    results = run_suite(home, suite, mutants)
    for one in results[HEALTHY]:
        if one["outcome"] == TOO_SLOW:
            raise BrokenError(f"{suite} was stopped: {one['says']}")
    return results


class Examiner:
    """What a check may ask of the learner's DAGs; each answer comes from fresh worlds."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def verdict(self, dag_id: str, law: str, dates: Sequence[str] = ()) -> Verdict:
        """Return the verdict of a law about a DAG.

        Raises:
            BrokenError: it could not be reached.
        """
        verdict = self._bench.prove(dag_id, [law], dates).verdicts[0]
        if verdict.outcome == ERROR:
            raise BrokenError(verdict.reason or "the run failed")
        return verdict

    def proven(self, dag_id: str, *laws: str, dates: Sequence[str] = ()) -> None:
        """Find the answer wrong unless each of the laws is proven; the message is dagproof's own report."""
        for law in laws:
            verdict = self.verdict(dag_id, law, dates)
            if verdict.outcome == FALSIFIED:
                raise IncorrectError(failure_text(dag_id, verdict))
            if verdict.outcome != PROVEN:
                raise IncorrectError(f"{dag_id}: {law} says nothing about it: {verdict.reason}")

    def edges(self, dag_id: str) -> list[tuple[str, str]]:
        """Return each pair of tasks of which the second waits for the first."""
        return self._bench.edges(dag_id)

    def left(self, dag_id: str, *dates: str) -> dict[str, pd.DataFrame]:
        """Return each table as a run of the dates leaves it in a fresh world; all values as text, None for NULL.

        Raises:
            DagproofError: a run failed.
        """
        lab = self._bench.lab(dag_id, dates)
        state = lab.state(tuple(Step("run", date) for date in lab.dates))
        found = {}
        for name, table in state.tables.items():
            cells = [[None if text == "\\N" else text for text in row.decode().split("\t")] for row in table.rows]
            found[name] = pd.DataFrame(cells, columns=list(table.columns))
        return found

    def findings(self, dag_id: str, *options: str) -> str:
        """Return what the rules find in a DAG file, as ``dagproof check --no-import`` prints it; empty for nothing."""
        text, clean = found_in(self._bench.home, dag_id, *options)
        return "" if clean else text

    @contextmanager
    def fresh(self) -> Iterator[FreshDesk]:
        """A desk of its own, for the check to run dates on and to look at rows."""
        desk = FreshDesk(self._bench)
        try:
            yield desk
        finally:
            desk.close()


class FreshDesk(Desk):
    """A desk on which every run has to succeed, unless the check says otherwise."""

    def run(self, dag_id: str, *dates: str, may_fail: bool = False, kind: str = "run") -> Ran:
        """Run dates of a DAG; return the last run.

        Raises:
            BrokenError: a run failed.
        """
        for date in dates:
            ran = self.play(dag_id, Step(kind, date))
            if ran.state != "success" and not may_fail:
                raise BrokenError(ran.reason or f"{ran.step.kind} of {dag_id} for {date} ended as {ran.state}")
        return ran
