"""The bench of a lesson: its PostgreSQL, its Airflow worker, and the worlds in which DAGs run. No Airflow in here."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from dagproof.config import load_config
from dagproof.errors import DagproofError, UsageError, WorkerError, nearest
from dagproof.laws import Verdict, law_named
from dagproof.postgres.server import PostgresServer
from dagproof.postgres.servers import start_server
from dagproof.proof.prover import Prover, machines_for
from dagproof.proof.verdicts import Proof
from dagproof.runs.driver import Driver, open_driver
from dagproof.runs.lab import Lab
from dagproof.worlds.worlds import Worlds

from . import inside

#: Histories that are tried for a law, where its examples are not more: few, for a lesson is read, not waited for.
MOST_HISTORIES = 2


class Bench:
    """Starts everything once, and once more where learner's code has broken it.

    Args:
        home: the lesson's folder, with ``pyproject.toml`` and ``dags``.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = load_config(home)
        self._stack = ExitStack()
        self._server: PostgresServer | None = None
        self._driver: tuple[Driver, ExitStack] | None = None
        self.starts = 0
        """How often the driver was started: what was kept from an earlier one is gone."""
        self.edits = 0
        """How often a DAG file was written."""

    @property
    def server(self) -> PostgresServer:
        """The PostgreSQL server, started on first use."""
        if self._server is None:
            self._server = self._stack.enter_context(start_server("embedded"))
        return self._server

    @property
    def driver(self) -> Driver:
        """The driver with its worker, started on first use."""
        if self._driver is None:
            stack = ExitStack()
            self._driver = (stack.enter_context(open_driver(self.config, postgres=self.server)), stack)
            self.starts += 1
        return self._driver[0]

    @property
    def worlds(self) -> Worlds:
        """Where worlds come from."""
        return self.driver.worlds

    def write_dag(self, name: str, text: str) -> Path:
        """Write ``dags/<name>.py``; every DAG is read anew when it is next asked for."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            raise UsageError(f"{name!r} is no name for a DAG file; use small letters, digits and underscores")
        return self.write(f"dags/{name}.py", text)

    def write(self, name: str, text: str) -> Path:
        """Write a file below the lesson's home; every DAG is read anew when it is next asked for."""
        path = (self.home / name).resolve()
        if self.home not in path.parents:
            raise UsageError(f"{name!r} lies outside of the lesson's folder; give a path such as tests/test_it.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.edits += 1
        if self._driver is not None:
            self.driver.reload()
        return path

    def lab(self, dag_id: str, dates: Sequence[str] = ()) -> Lab:
        """Return a lab for the DAG and the dates; until a file changes, it is the same one for the same dates.

        Raises:
            DagproofError: the DAG does not load, or a date is none of its schedule's.
        """
        try:
            return self.driver.lab(dag_id, dates)
        except WorkerError as error:
            if "unexpectedly" in str(error) or "took more than" in str(error):
                self.restart()
            raise

    def prove(
        self, dag_id: str, laws: Sequence[str], dates: Sequence[str], most_histories: int = MOST_HISTORIES
    ) -> Proof:
        """Prove laws about a DAG, as ``dagproof prove`` does.

        Raises:
            DagproofError: it could not even be tried.
        """
        started = time.perf_counter()
        chosen = sorted((law_named(name) for name in laws), key=lambda law: law.order)
        lab = self.lab(dag_id, dates)
        for machine in machines_for(chosen)[1:]:
            self.driver.join(machine)
        prover = Prover(lab, seed=0, max_histories=most_histories)
        verdicts = [_without_thrift(prover.prove(law)) for law in chosen]
        return prover.concluded(verdicts, started)

    def airflow(self, code: str) -> tuple[str, str]:
        """Run code where Airflow is, in a child of the worker; return what it prints, and its error if it raises one.

        Raises:
            DagproofError: it takes too long, or the child ends before its end.
        """
        folder = self.worlds.run_folder
        out = folder / "printed.txt"
        error = Path(inside.error_of(str(out)))
        error.unlink(missing_ok=True)
        arguments = {"code": code, "out": str(out), "dags": str(self.home / "dags")}
        worker = self.driver.worker(self.driver.machines[0])
        reason = worker.call(f"{inside.__file__}:main", arguments, result=folder / "result.json", timeout=20.0)
        if reason:
            raise DagproofError(reason)
        return out.read_text(encoding="utf-8").rstrip(), error.read_text(encoding="utf-8") if error.exists() else ""

    def edges(self, dag_id: str) -> list[tuple[str, str]]:
        """Return each pair of tasks of which the second waits for the first, sorted by their names.

        Raises:
            DagproofError: the DAG does not load.
        """
        self.lab(dag_id)
        code = f"dag = load_dag({dag_id!r})\nfor one in dag.tasks:\n  for other in one.downstream_task_ids:\n"
        lines = self.airflow(code + "    print(one.task_id, other)")[0].splitlines()
        return sorted((first, second) for first, second in map(str.split, lines))

    def restart(self) -> None:
        """Give up the worker, which does not answer; the next use starts another."""
        if self._driver is not None:
            self._driver[1].close()
            self._driver = None

    def close(self) -> None:
        """Stop everything."""
        self.restart()
        self._stack.close()
        self._server = None


def _without_thrift(verdict: Verdict) -> Verdict:
    """Return the verdict without a word on how few histories are tried: that is the course's, and nobody's question."""
    said = tuple(entry for entry in verdict.left_out if not entry.setting.startswith("--max-histories"))
    return replace(verdict, left_out=said)


def dag_named(home: Path, dag_id: str) -> str:
    """Return `dag_id`, or say which DAG files there are."""
    there = {path.stem for path in (home / "dags").glob("*.py")}
    if dag_id not in there:
        raise UsageError(f"there is no DAG file {dag_id}.py yet; run the cell that writes it{nearest(dag_id, there)}")
    return dag_id
