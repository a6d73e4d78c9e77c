"""The course: what is committed is what its sources give, and its exercises judge as they say."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import resource
import sys
from functools import cache
from pathlib import Path

import pytest

from notebooks.course.making import Made, make, solution_lines
from notebooks.course.sources import NOTEBOOKS, LessonSource, lesson_named, lessons

#: The outputs that are committed are those of this Python and Airflow; others hash, draw and word things differently.
COMMITTED_WITH = ((3, 11), "3.3.")
MOST_SECONDS = 60.0
NAMES = [lesson.name for lesson in lessons()]
#: By number: those that `tox` alone runs. The other lessons are `slow`.
QUICK = ("00", "01", "03")


@cache
def made(name: str) -> tuple[Made, float]:
    """Make the lesson once for all tests about it; return the processor's seconds that it took, too."""
    started = spent()
    return make(lesson_named(name), try_answers=True), spent() - started


def spent() -> float:
    """The seconds that a processor has worked for processes which this one has started, and which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def committed(name: str) -> str:
    return (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")


def outputs(notebook: str) -> str:
    """All that the cells of a notebook have shown, as text."""
    cells = json.loads(notebook)["cells"]
    return "\n".join(json.dumps(cell.get("outputs", []), ensure_ascii=False) for cell in cells)


def what_is_committed_is_what_the_source_gives(name: str) -> None:
    """Byte for byte: the notebook with its outputs, and the page of solutions."""
    new, _ = made(name)
    assert (NOTEBOOKS / "solutions" / f"{name}.md").read_text(encoding="utf-8") == new.solutions
    python, airflow = COMMITTED_WITH
    if sys.version_info[:2] == python and importlib.metadata.version("apache-airflow").startswith(airflow):
        assert committed(name) == new.notebook, f"run: python -m notebooks build {name}"
    else:
        sources = [[cell["source"] for cell in json.loads(text)["cells"]] for text in (committed(name), new.notebook)]
        assert sources[0] == sources[1], f"run: python -m notebooks build {name}"


def an_unsolved_lesson_runs_to_its_end(name: str) -> None:
    """And each of its exercises is not attempted."""
    new, _ = made(name)
    exercises = lesson_named(name).exercises
    assert len(re.findall(r"q\d: · not attempted", outputs(new.notebook))) == len(exercises)
    unsolved = {one["question"]: one["word"] for one in new.tried if one["role"] == "starter"}
    assert unsolved == dict.fromkeys(exercises, "not attempted")


def each_answer_is_judged_as_it_should_be(name: str) -> None:
    """A solution is correct; each wrong answer is told by a message of its own."""
    new, _ = made(name)
    answers = [one for one in new.tried if one["role"] != "starter"]
    misjudged = [one for one in answers if one["word"] != one["wanted"] or one["says"] not in one["message"]]
    assert not misjudged, "\n\n".join(f"{one['question']} {one['role']}: {one}" for one in misjudged)
    for question in lesson_named(name).exercises:
        wrong = [one["says"] for one in answers if one["role"] == "wrong" and one["question"] == question]
        assert len(set(wrong)) == len(wrong) >= 2, f"{question}: two wrong answers, each with its own message"
        assert all(wrong), f"{question}: a wrong answer without says="


def no_solution_stands_in_the_notebook(name: str) -> None:
    """Neither in a cell nor in an output; and there is something that could."""
    new, _ = made(name)
    lines = solution_lines(lesson_named(name))
    assert lines or not lesson_named(name).exercises
    text = "\n".join(["".join(cell["source"]) for cell in json.loads(new.notebook)["cells"]]) + outputs(new.notebook)
    assert not [line for line in lines if line in text or json.dumps(line)[1:-1] in text]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name.startswith(QUICK) else [pytest.mark.slow]) for name in NAMES]
)
def test_a_lesson_keeps_its_promises(name: str) -> None:
    """All four at once, so that the lesson and its answers are run but once, also by several workers."""
    what_is_committed_is_what_the_source_gives(name)
    an_unsolved_lesson_runs_to_its_end(name)
    each_answer_is_judged_as_it_should_be(name)
    no_solution_stands_in_the_notebook(name)


@pytest.mark.deep
@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_takes_less_than_a_minute(name: str) -> None:
    """With all its answers tried; of a processor's time. Only an idle machine can tell."""
    _, seconds = made(name)
    assert 0 < seconds < MOST_SECONDS


def test_every_file_belongs_to_a_lesson() -> None:
    """None is left over, and none is missing; the README lists each lesson."""
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES
    assert sorted(path.stem for path in (NOTEBOOKS / "solutions").glob("*")) == NAMES
    folders = {path.name for path in (NOTEBOOKS / "source").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders <= set(NAMES)
    readme = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_\w+)\.ipynb\)", readme) == NAMES


def names_set_by(code: str) -> set[str]:
    """Return the variables and functions that a cell sets."""
    nodes = list(ast.walk(ast.parse(code)))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return found | {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_writes_over_what_its_exercise_gives(name: str) -> None:
    """So what is given needs to be there but once, however many answers are tried."""
    for exercise in lesson_named(name).exercises.values():
        answers = [exercise.one("starter"), exercise.one("solution"), *exercise.all("wrong")]
        for given in exercise.all("given"):
            assert not given.file or given.file not in {answer.file for answer in answers}
            if not given.file and not exercise.one("starter").file:
                assert not names_set_by(given.text) & {name for one in answers for name in names_set_by(one.text)}


def test_a_lesson_is_numbered_and_has_a_title(tmp_path: Path) -> None:
    """Numbers count up from 0 without a gap, and the first heading begins with the number."""
    for lesson in lessons():
        assert isinstance(lesson, LessonSource)
        assert lesson.title.startswith(f"{int(lesson.number)} · "), lesson.title
