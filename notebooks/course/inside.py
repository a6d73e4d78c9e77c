"""Runs in a child of the worker, the only process that knows Airflow: the code of a cell that begins ``%%airflow``."""

from __future__ import annotations

import contextlib
import io
import traceback
from pathlib import Path
from typing import Any


def error_of(out: str) -> str:
    """Return the file in which the last line of an error is left."""
    return f"{out}.error"


def main(code: str, out: str, dags: str) -> None:
    """Run `code`, and write what it prints to the file `out`, and an error beside it."""

    def load_dag(dag_id: str) -> Any:
        """Return a DAG of the lesson, as the DAG processor reads it."""
        from dagproof.airflow.bundle import find_dags

        with _quiet():
            return find_dags(Path(dags), [dag_id])[dag_id]

    def load_errors() -> dict[str, str]:
        """Return each DAG file of the lesson that does not load, with its reason."""
        from dagproof.airflow.bundle import all_dags

        with _quiet():
            return all_dags(Path(dags))[1]

    def _quiet() -> contextlib.redirect_stdout[io.StringIO]:
        return contextlib.redirect_stdout(io.StringIO())  # what Airflow logs while it loads

    with Path(out).open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        try:
            names = {"__name__": "cell", "load_dag": load_dag, "load_errors": load_errors}
            exec(compile(code, "<cell>", "exec"), names)  # noqa: S102 - the learner's own code
        except Exception as error:
            Path(error_of(out)).write_text(traceback.format_exception_only(error)[-1].strip(), encoding="utf-8")
