"""Tries the answers that a source knows, right ones and wrong ones, in the kernel in which the lesson has just run.

What an exercise gives before its starter is there from that run, and no answer writes over it.
"""

from __future__ import annotations

import json
import time
from typing import Any

from . import api
from .exercises import Question
from .lesson import Lesson, current
from .sources import Cell


def report() -> str:
    """Return, as JSON, what the check of each exercise says of each answer, the unsolved one first."""
    lesson = current()
    assert lesson is not None, "the notebook has not opened its lesson"
    tried = []
    for exercise in lesson.source.exercises.values():
        question: Question = getattr(api, exercise.name)
        answers = [*exercise.all("starter"), *exercise.all("solution"), *exercise.all("wrong")]
        for answer in answers:
            started = time.perf_counter()
            _give(lesson, answer, exercise.one("starter"))
            outcome = question.judge()
            tried.append(
                {
                    "question": exercise.name,
                    "role": answer.role,
                    "wanted": _wanted(answer),
                    "says": str(answer.meta.get("says", "")),
                    "word": outcome.word,
                    "message": outcome.message,
                    "seconds": round(time.perf_counter() - started, 1),
                }
            )
        _give(lesson, exercise.one("solution"), exercise.one("starter"))  # the next one may build on it
    return json.dumps(tried)


def _wanted(answer: Cell) -> str:
    usual = {"starter": "not attempted", "solution": "correct", "wrong": "incorrect"}
    return str(answer.meta.get("outcome", usual[answer.role]))


def _give(lesson: Lesson, answer: Cell, starter: Cell) -> None:
    """Do what running the cell does."""
    if starter.file:
        lesson.bench.write(answer.file or starter.file, answer.text + "\n")
        return
    names: dict[str, Any] = lesson.namespace()
    exec(compile(answer.text, "<answer>", "exec"), names)  # noqa: S102 - our own source
