"""The words that the cells of a lesson use: ``run``, ``rows``, ``prove`` and so on, for the lesson that is open."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg

from dagproof.errors import DagproofError, UsageError, WorkerError, nearest
from dagproof.histories import Step
from dagproof.inside.exchange import RunReport
from dagproof.laws import all_laws
from dagproof.proof.verdicts import Proof
from dagproof.report.text import proof_text

from .bench import dag_named
from .checking import found_in
from .desk import Ran
from .doctor import diagnosis
from .doctor import start_airflow as starts
from .exercises import WRITE, Question
from .lesson import RESET, Lesson, current, open_lesson
from .suites import HEALTHY, Mutant, run_suite

q1, q2, q3, q4, q5, q6 = (Question(f"q{number}", current) for number in range(1, 7))


class Told:
    """A text that a cell shows; true when what it tells of went well."""

    def __init__(self, text: str, good: bool = False) -> None:
        self._text, self._good = text, good

    def __repr__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return self._good


def start(number: str) -> None:
    """Start a lesson: a folder of its own, PostgreSQL, and Airflow in a process beside this one. Takes some seconds."""
    shell = _shell()
    lesson = open_lesson(number, lambda: shell.user_ns if shell else {})
    if shell:
        _register_magics(shell)
        shell.set_custom_exc((DagproofError, psycopg.Error), show_shortly)
    pd.set_option("display.max_colwidth", 150)  # an error is read to its end
    print(f"{lesson.source.title}: ready.")


def doctor() -> Told:
    """Look whether all is there that the course needs."""
    found = list(diagnosis(_lesson().desk))
    return Told("\n".join(f"{'✓' if well else '✗'} {text}" for well, text in found), all(well for well, _ in found))


def start_airflow(**settings: str) -> Told:
    """Start Airflow with these environment variables and no others; say where it keeps its things."""
    well, text = starts(_lesson().home, settings)
    return Told(("✓ Airflow starts\n" if well else "✗ Airflow does not start\n") + text, well)


def lesson_home() -> Path:
    """Return the folder of the lesson, in which its DAG files lie."""
    return _lesson().home


def run(dag_id: str, *dates: str, at: str = "") -> Ran:
    """Run dates of a DAG on the desk, as the scheduler would; return the last run. `at` is the world's time (ISO)."""
    for date in dates:
        ran = _play(dag_id, Step("run", date, at=at))
    return ran


def rerun(dag_id: str, date: str, at: str = "") -> Ran:
    """Clear the run of a date and run it again, a day later."""
    return _play(dag_id, Step("rerun", date, at=at))


def clear(dag_id: str, task: str, date: str) -> Ran:
    """Clear a task of a run, and all that come after it, and run them again."""
    return _play(dag_id, Step("clear", date, task=task))


def backfill(dag_id: str, *dates: str) -> Ran:
    """Run dates as a backfill does; return the last run."""
    for date in dates:
        ran = _play(dag_id, Step("backfill", date))
    return ran


def crash(dag_id: str, date: str, point: str) -> Ran:
    """Run a date and kill it at a point, such as ``message 7`` to PostgreSQL."""
    return _play(dag_id, Step("crash", date, point=point))


def step(kind: str, dag_id: str, date: str, **fields: Any) -> Ran:
    """Let any step happen that dagproof knows; `fields` are those of :class:`dagproof.histories.Step`."""
    return _play(dag_id, Step(kind, date, **fields))


def rows(query: str) -> pd.DataFrame:
    """Return the rows that an SQL query finds on the desk."""
    return _lesson().desk.rows(query)


def sql(statement: str) -> None:
    """Run an SQL statement on the desk."""
    _lesson().desk.execute(statement)


def read(path: str = "") -> str:
    """Return a file of the desk as text; without a path, the list of its files."""
    folder = _lesson().desk.files
    if path:
        return (folder / path).read_text(encoding="utf-8")
    return "\n".join(sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()))


def fresh() -> None:
    """Clear the desk: no runs, no files, and the rows that the lesson began with."""
    _lesson().desk.close()


def forget_runs() -> None:
    """Delete all runs from Airflow's database, as ``airflow db clean`` does with old ones; the rows stay."""
    _lesson().desk.forget_runs()


def tasks(ran: Ran) -> pd.DataFrame:
    """Return the tasks of a run, with the last state of each."""
    return ran.tasks()


def log(ran: Ran) -> Told:
    """Return the last lines that a failed run has logged."""
    return Told(ran.log)


def plan(dag_id: str, *dates: str) -> pd.DataFrame:
    """Return the run that the scheduler makes for each date: its logical date, interval, run_after and run id."""
    bench = _lesson().bench
    dag_named(bench.home, dag_id)
    lab = bench.lab(dag_id, dates)
    lines = []
    for run in (lab.runs[dag_id, date] for date in lab.dates):
        start, end = run.data_interval or (None, None)
        line = {"date": run.date, "logical_date": run.logical_date}
        lines.append(line | {"interval_start": start, "interval_end": end, "run_after": run.run_after})
    return pd.DataFrame(lines)


class NoLawError(UsageError, AttributeError):
    """There is no law of that name."""


class Laws:
    """The laws of a DAG as methods: ``.rerun()``, ``.crash()`` and so on, and ``.all("rerun", "order")``."""

    def __init__(self, dag_id: str, dates: tuple[str, ...]) -> None:
        self._dag_id, self._dates = dag_id, dates

    def __getattr__(self, name: str) -> Callable[[], Told]:
        laws = {law.name.replace("-", "_"): law.name for law in all_laws()}
        if name not in laws:
            raise NoLawError(f"there is no law {name!r}{nearest(name, laws)}")
        return lambda: self.all(laws[name])

    def all(self, *names: str) -> Told:
        """Prove the named laws, or all there are, and return what ``dagproof prove`` prints."""
        lesson = _lesson()
        chosen = names or tuple(law.name for law in all_laws())
        try:
            dag_named(lesson.home, self._dag_id)
            proof: Proof = lesson.bench.prove(self._dag_id, chosen, self._dates)
        except DagproofError as error:
            return Told(f"dagproof: {error}")
        return Told(proof_text(proof), good=proof.exit_status == 0)


def prove(dag_id: str, *dates: str) -> Laws:
    """Return the laws of a DAG, to be proven over dates; over those that its schedule gives where none are named."""
    return Laws(dag_id, dates)


def findings(dag_id: str, *options: str) -> Told:
    """Return what ``dagproof check --no-import`` prints about a DAG file."""
    return Told(*found_in(_lesson().home, dag_id, *options))


def suite(path: str, mutants: Mapping[str, Mutant] = {}) -> pd.DataFrame:
    """Run a test suite: a row for each test. With mutants, faulty copies of the code: a row for each of those."""
    results = run_suite(_lesson().home, path, mutants)
    if not mutants:
        return pd.DataFrame(results[HEALTHY], columns=["test", "outcome", "says"])
    lines = []
    for name in mutants:
        failed = [one for one in results[name] if one["outcome"] != "passed"]
        lines.append({"fault": name, "seen by": failed[0]["test"] if failed else "nobody"})
    return pd.DataFrame(lines)


def airflow(code: str) -> None:
    """Run code where Airflow is, in a child of the worker, and print what it prints.

    Raises:
        IPython's UsageError: the code raises; it is shown as one line, and stops what runs all cells.
    """
    from IPython.core.error import UsageError as ShownInOneLine

    printed, error = _lesson().bench.airflow(code)
    if printed:
        print(printed)
    if error:
        raise ShownInOneLine(error)


def ask_airflow(code: str) -> str:
    """Run code where Airflow is, in a child of the worker; return what it prints, and its error if it raises one."""
    try:
        printed, error = _lesson().bench.airflow(code)
    except DagproofError as late:
        return f"dagproof: {late}"
    return "\n".join(part for part in (printed, error) if part)


def edges(dag_id: str) -> list[tuple[str, str]]:
    """Return each pair of tasks of which the second waits for the first."""
    bench = _lesson().bench
    return bench.edges(dag_named(bench.home, dag_id))


def put(path: str, text: str) -> None:
    """Write a file of the lesson, such as ``tests/test_it.py``; the magic word ``%%put PATH`` does so with its cell."""
    _lesson().bench.write(path, text if text.endswith("\n") else text + "\n")


def write_dag(name: str, text: str) -> Path:
    """Write a DAG file of the lesson; what the magic word ``%%dag NAME`` does with the rest of its cell."""
    return _lesson().bench.write_dag(name, text if text.endswith("\n") else text + "\n")


def unwritten(name: str) -> None:
    """Say that a cell with a DAG has written no file; what runs in place of such a cell."""
    lesson = current()
    if lesson is not None:
        lesson.unwritten.add(name)
    print(f"Nothing was written, and nothing has run. {WRITE.format(name)}", file=sys.stderr)


def catch_unwritten(lines: list[str]) -> list[str]:
    """Return the lines of a cell; in place of a DAG without its ``%%dag`` line, a call of :func:`unwritten`."""
    if next((line for line in lines if line.strip()), "").startswith("%%"):
        return lines
    body = [line for line in lines if not line.startswith("%%dag")]  # it has slipped below a line of its own
    names = _dags_in("".join(body))
    return [f"__import__({__name__!r}, fromlist=['api']).unwritten({names[0]!r})\n"] if names else lines


def _dags_in(code: str) -> list[str]:
    """Return the names of the functions that ``@dag`` decorates."""
    try:
        functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        return []
    marks = {one.name: [ast.unparse(mark).partition("(")[0] for mark in one.decorator_list] for one in functions}
    return [name for name, found in marks.items() if "dag" in found]


def _play(dag_id: str, step: Step) -> Ran:
    try:
        return _lesson().desk.play(dag_id, step)
    except WorkerError as error:
        return Ran(dag_id, step, None, RunReport(state="not loaded"), str(error))


def _lesson() -> Lesson:
    lesson = current()
    if lesson is None:
        raise UsageError("no lesson is open; run the first cell of the notebook")
    if lesson.was_reset:
        raise UsageError(RESET)
    return lesson


def show_shortly(shell: Any, kind: type[Exception], error: Exception, *_: Any, **__: Any) -> list[str]:
    """Show an error that is a sentence, such as that of a mistyped name; through which lines it went is noise."""
    print(f"{'PostgreSQL' if isinstance(error, psycopg.Error) else 'dagproof'}: {error}", file=sys.stderr)
    return []


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _register_magics(shell: Any) -> None:
    def dag(line: str, cell: str) -> None:
        path = write_dag(line.strip(), cell)
        other = [name for name in _dags_in(cell)[:1] if name != path.stem and path.with_name(f"{name}.py").exists()]
        _lesson().unwritten.update(other)
        _lesson().unwritten.discard(path.stem)
        for name in other:
            print(
                f"It holds the DAG {name}, which stays in dags/{name}.py as it was. {WRITE.format(name)}",
                file=sys.stderr,
            )
        try:
            compile(cell, path.name, "exec")
        except SyntaxError as error:
            print(f"dags/{path.name} is written, but line {error.lineno} is not Python: {error.msg}")
        else:
            print(f"dags/{path.name} is written.")

    def put_cell(line: str, cell: str) -> None:
        put(line.strip(), cell)
        print(f"{line.strip()} is written.")

    if catch_unwritten not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.insert(0, catch_unwritten)
    shell.register_magic_function(dag, "cell", "dag")
    shell.register_magic_function(put_cell, "cell", "put")
    shell.register_magic_function(lambda line, cell: airflow(cell), "cell", "airflow")
