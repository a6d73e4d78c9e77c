"""Makes a lesson's notebook from its source, runs it, and makes the page of its solutions."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from .sources import NOTEBOOKS, Cell, LessonSource

#: What the learner's notebook does not show.
HIDDEN = ("check", "hint", "solution", "wrong")
#: Seconds that one cell may take.
CELL_SECONDS = 600
#: Tries all answers that the source knows, once the notebook has come to its end; each check has a limit of its own.
TRY_ALL_SECONDS = 3600
TRY_ALL = "from course.gate import report\nprint(report())"


@dataclass
class Made:
    """What was made of a lesson's source."""

    notebook: str
    """The text of the ``.ipynb``."""
    solutions: str
    """The text of the page of solutions."""
    tried: list[dict[str, Any]] = field(default_factory=list)
    """What the checks said of the known answers; empty where they were not tried."""


def make(lesson: LessonSource, *, try_answers: bool = False) -> Made:
    """Make a lesson, running its notebook from the first cell to the last in a kernel and a folder of its own.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    notebook = unexecuted(lesson)
    count = len(notebook.cells)
    if try_answers:
        notebook.cells.append(nbformat.v4.new_code_cell(TRY_ALL))
    with tempfile.TemporaryDirectory(prefix="course-") as work:
        execute(notebook, NOTEBOOKS, Path(work))
        tried = json.loads(_printed(notebook.cells.pop())) if len(notebook.cells) > count else []
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            if cell.cell_type == "code":
                cell.outputs = [_normal(output, work) for output in cell.outputs]
    return Made(nbformat.writes(notebook, version=4) + "\n", solutions_page(lesson), tried)


def execute(notebook: Any, folder: Path, work: Path, *, allow_errors: bool = False) -> None:
    """Run a notebook in `folder`, with a learner's things in `work`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {"DAGPROOF_COURSE_WORK": str(work), "IPYTHONDIR": str(work / "ipython"), "PYTHONHASHSEED": "0"}
    client = NotebookClient(
        notebook,
        timeout_func=lambda cell: TRY_ALL_SECONDS if cell.source == TRY_ALL else CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        allow_errors=allow_errors,
        extra_arguments=["--log-level=40"],  # it warns of what only matters on machines of many
    )
    client.execute(env=env)
    notebook.metadata.language_info.pop("version", None)  # another one on each machine


def unexecuted(lesson: LessonSource) -> Any:
    """Return the learner's notebook without outputs."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    _ = lesson.exercises  # complete, or refused
    for number, cell in enumerate(_cells(lesson), start=1):
        kind = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
        made = kind(cell.notebook_text)
        made.id = f"lesson-{lesson.number}-{number:02d}"
        notebook.cells.append(made)
    return notebook


def write(path: Path, notebook: Any) -> None:
    """Write a notebook to a file."""
    path.write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")


def solutions_page(lesson: LessonSource) -> str:
    """Return a page with a solution of each exercise, and what the check says of answers that come to mind first."""
    lines = [f"# {lesson.title}: solutions", "", f"For [the notebook](../{lesson.name}.ipynb). Try it first.", ""]
    for exercise in lesson.exercises.values():
        prompt = exercise.one("prompt").text.lstrip("#").strip()
        heading, _, rest = prompt.partition("\n")
        lines += [f"## {heading.strip()}", "", rest.strip(), "", *_code(exercise.one("solution"))]
        for wrong in exercise.all("wrong"):
            word = wrong.meta.get("outcome", "incorrect")
            lines += [f"This one is {word} (“{wrong.meta.get('says', '')}”):", "", *_code(wrong)]
    return "\n".join(lines).rstrip() + "\n"


def solution_lines(lesson: LessonSource) -> set[str]:
    """Return the lines of solutions that a learner must not find: those that stand in no cell of the notebook's own."""
    shown = {line.strip() for cell in _cells(lesson) for line in cell.text.splitlines()}
    shown |= {line.removesuffix(" ...") for line in shown}  # a function that the starter leaves empty
    hidden = {
        line.strip()
        for exercise in lesson.exercises.values()
        for line in exercise.one("solution").text.splitlines()
        if re.search(r"\w\W+\w", line) and not line.strip().startswith("#")
    }
    return hidden - shown


def _cells(lesson: LessonSource) -> Iterator[Cell]:
    for cell in lesson.cells:
        if cell.role in HIDDEN:
            continue
        yield cell
        if cell.role == "starter":
            yield Cell("code", f"{cell.question}.check()", {})
            yield Cell("code", f"# {cell.question}.hint()\n# {cell.question}.solution()", {})


def _code(cell: Cell) -> list[str]:
    return ["```python", cell.notebook_text, "```", ""]


def _printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


def _normal(output: Any, work: str) -> Any:
    """Return an output without what is never the same twice: how long it took, and where it was."""

    def normal(value: Any) -> Any:
        if isinstance(value, dict):
            return type(value)({key: normal(entry) for key, entry in value.items()})
        if not isinstance(value, str):
            return value
        value = re.sub(r"(seed \d+, )[\d.]+ s\b", r"\1… s", value)
        return value.replace(work, "work").replace(str(Path(work).resolve()), "work")

    return normal(output)
