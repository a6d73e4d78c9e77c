"""Exercises that check themselves: ``q1.check()``, ``q1.hint()``, ``q1.solution()``."""

from __future__ import annotations

import ast
import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagproof.errors import DagproofError, WorkerError

from . import checking
from .checking import BrokenError, Examiner, IncorrectError, suite_that_ends
from .doctor import start_airflow
from .lesson import RESET
from .limits import LearnerError, TooSlowError, call_in_child, describe, time_limit
from .sources import Cell, Exercise

if TYPE_CHECKING:
    from .lesson import Lesson

CORRECT, INCORRECT, ERROR, NOT_ATTEMPTED, TOO_SLOW = "correct", "incorrect", "error", "not attempted", "too slow"
#: Seconds that a whole check may take, and that one call of a learner's function may.
CHECK_SECONDS, CALL_SECONDS = 90.0, 5.0
#: How Airflow, and we, say that time was up. What Airflow says of a file that does not come to its end closes with a
#: link to its page about that.
LATE = ("took more than", "AirflowTaskTimeout", "reducing-dag-complexity")
#: How dagproof goes on about a run that was too slow: advice for those whose DAGs do much.
RAISE = "; raise timeout in "
#: What to do where a cell did not write its DAG file.
WRITE = "Let the cell begin with the line %%dag {}, and run it again."
#: What checks call with the lesson's home before all else.
HELPERS: dict[str, Callable[..., Any]] = {"start_airflow": start_airflow, "run_suite": suite_that_ends}


@dataclass(frozen=True)
class Outcome:
    """What became of a check: one of five words, and what there is to say."""

    word: str
    message: str = ""

    def __str__(self) -> str:
        mark = "✓" if self.word == CORRECT else "·" if self.word == NOT_ATTEMPTED else "✗"
        return f"{mark} {self.word}" + (f"\n\n{self.message}" if self.message else "")


class Question:
    """One exercise of the lesson that is open."""

    def __init__(self, name: str, current: Callable[[], Lesson | None]) -> None:
        self.name = name
        self._current = current
        self._hints = 0

    def check(self) -> None:
        """Check the answer, say what came of it, and note it in the progress file. Never raises, never hangs."""
        lesson = self._current()
        try:
            outcome = self.judge()
        except KeyboardInterrupt:
            if lesson is not None:
                lesson.bench.restart()  # its worker may be in the middle of an answer
            print(f"{self.name}: interrupted; nothing was noted. Check again whenever you like.")
            return
        print(f"{self.name}: {outcome}")
        if lesson is not None:
            lesson.note(self.name, outcome.word)

    def hint(self) -> None:
        """Show the next hint; after the last one, the first again."""
        exercise = self._exercise()
        if exercise is not None:
            hints = exercise.all("hint")
            number = self._hints % len(hints)
            print(f"Hint {number + 1} of {len(hints)}: {hints[number].text}")
            self._hints += 1

    def solution(self) -> None:
        """Show a solution."""
        exercise = self._exercise()
        if exercise is not None:
            print(exercise.one("solution").notebook_text)

    def judge(self) -> Outcome:
        """Return what a check of the answer finds."""
        lesson = self._current()
        if lesson is None:
            return Outcome(ERROR, "No lesson is open: run the first cell of the notebook.")
        if lesson.was_reset:
            return Outcome(ERROR, RESET)
        exercise = lesson.source.exercises.get(self.name)
        if exercise is None:
            there = ", ".join(lesson.source.exercises)
            return Outcome(ERROR, f"Lesson {lesson.source.number} has no {self.name}; it has {there}.")
        try:
            lesson.start()  # where an earlier answer has cost the worker; that time is not this answer's
        except DagproofError as error:
            return Outcome(ERROR, str(error))
        try:
            with time_limit(float(exercise.one("check").meta.get("seconds", CHECK_SECONDS))):
                return _judged(lesson, exercise)
        except TooSlowError as late:
            lesson.bench.restart()
            return Outcome(TOO_SLOW, f"The check was stopped: {late}. Is there a loop that does not end?")

    def _exercise(self) -> Exercise | None:
        lesson = self._current()
        found = lesson.source.exercises.get(self.name) if lesson else None
        if found is None:
            print("No lesson with this exercise is open: run the first cell of the notebook.")
        return found


def _judged(lesson: Lesson, exercise: Exercise) -> Outcome:
    """Judge an answer; whatever is raised but lateness becomes an outcome."""
    starter = exercise.one("starter")
    if starter.dag in lesson.unwritten:
        return Outcome(
            ERROR, f"The file {starter.file} is older than the cell that you ran last. {WRITE.format(starter.dag)}"
        )
    check = _check_of(exercise.one("check"), lesson)
    try:
        answers = _answers(lesson, exercise, check)
        if answers is None:
            what = "Edit the cell above, run it" if exercise.one("starter").text else "Run the cell above"
            return Outcome(NOT_ATTEMPTED, f"{what}, and check again. A hint: {exercise.name}.hint()")
        said = check(**answers)
    except IncorrectError as wrong:
        return Outcome(INCORRECT, str(wrong))
    except (BrokenError, DagproofError, LearnerError) as broken:
        if isinstance(broken, WorkerError):
            lesson.bench.restart()  # it may be dead, or half-way: the next answer gets another one
        word = TOO_SLOW if any(late in str(broken) for late in LATE) else ERROR
        what, advice, _ = str(broken).partition(RAISE)
        return Outcome(word, f"{what}. Is there a loop that does not end?" if advice else what)
    except Exception as error:  # e.g. an answer of a kind that the check did not think of
        return Outcome(ERROR, f"The check cannot use this answer: {describe(error)}")
    return Outcome(CORRECT, said or "")


def _check_of(cell: Cell, lesson: Lesson) -> Callable[..., str | None]:
    examiner = Examiner(lesson.bench)
    names: dict[str, Any] = {
        name: getattr(checking, name) for name in ("expect", "orders_of", "same_rows", "shown", "IncorrectError")
    }
    names |= {name: getattr(examiner, name) for name in ("proven", "verdict", "fresh", "left", "edges", "findings")}
    names |= {name: partial(does, lesson.home) for name, does in HELPERS.items()}
    names |= {"Path": Path, "BrokenError": BrokenError, "lesson": lesson, "home": lesson.home}
    exec(compile(cell.text, f"<check of {cell.question}>", "exec"), names)  # noqa: S102 - our own source
    check: Callable[..., str | None] = names["check"]
    return check


def _answers(lesson: Lesson, exercise: Exercise, check: Callable[..., Any]) -> dict[str, Any] | None:
    """Return the learner's values for the parameters of the check; None when nothing was attempted."""
    starter = exercise.one("starter")
    if starter.file and not _file_attempted(lesson, starter):
        return None
    values = {}
    for name in inspect.signature(check).parameters:
        value = lesson.namespace().get(name, ...)
        if value is ... or _is_blank(value) or (isinstance(value, list | tuple | dict) and _has_gap(value)):
            return None
        values[name] = _limited(value) if inspect.isfunction(value) else value
    return values


def _file_attempted(lesson: Lesson, starter: Cell) -> bool:
    path = lesson.home / starter.file
    return path.exists() and _meaning(path.read_text(encoding="utf-8")) != _meaning(starter.text)


def _meaning(code: str) -> str:
    """Return what does not change with comments and blank lines."""
    try:
        return ast.dump(ast.parse(code))
    except SyntaxError:
        return code


def _has_gap(value: Any) -> bool:
    """Whether an ellipsis is left in a collection."""
    parts = list(value.values()) if isinstance(value, dict) else list(value)
    return any(part is ... or (isinstance(part, list | tuple | dict) and _has_gap(part)) for part in parts)


def _is_blank(value: Any) -> bool:
    """Whether it is a function that does nothing at all, and returns None."""
    if not inspect.isfunction(value):
        return False
    steps = [step for step in dis.get_instructions(value) if step.opname not in ("RESUME", "NOP", "CACHE")]
    return all(step.opname.startswith(("LOAD_CONST", "RETURN_")) and step.argval is None for step in steps)


def _limited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as a check may call it: in a process of its own, under a time limit."""

    def limited(*args: Any) -> Any:
        return call_in_child(function, args, CALL_SECONDS)

    return limited
