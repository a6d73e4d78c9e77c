"""A check never raises and never hangs, whatever a learner's function does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notebooks.course.limits import LearnerError, TooSlowError, call_in_child, time_limit


def stubborn() -> None:
    """A loop that takes every exception for its own."""
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


def children() -> set[str]:
    """The process ids of what this process has started and that is not gone, also what has ended unheard."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def raises() -> None:
    raise ValueError("no such day")


def test_a_function_in_a_child_gives_its_value() -> None:
    """A large one, too; and what it changes here stays as it was."""
    assert call_in_child(lambda n: list(range(n)), (100_000,), 30) == list(range(100_000))


@pytest.mark.parametrize(
    ("function", "seconds", "kind", "says"),
    [
        pytest.param(stubborn, 0.3, TooSlowError, "took more than 0.3 s", id="it-never-ends"),
        pytest.param(raises, 30, LearnerError, "ValueError: no such day", id="it-raises"),
        pytest.param(lambda: os._exit(3), 30, LearnerError, "ended the process", id="it-ends-the-process"),
        pytest.param(
            lambda: os.kill(os.getpid(), signal.SIGKILL), 30, LearnerError, "ended the process", id="it-crashes"
        ),
        pytest.param(lambda: lambda: 0, 30, LearnerError, "pickle", id="what-it-returns-cannot-be-sent"),
    ],
)
def test_whatever_a_function_does_is_told(
    function: Callable[..., Any], seconds: float, kind: type[BaseException], says: str
) -> None:
    """In time, and as what it is."""
    started = time.monotonic()
    with pytest.raises(kind, match=says):
        call_in_child(function, (), seconds)
    assert time.monotonic() - started < 20


def test_no_child_is_left() -> None:
    """Also not of a function that was stopped; what else this process has started is not asked about."""
    before = children()
    with pytest.raises(TooSlowError):
        call_in_child(stubborn, (), 0.1)
    assert children() <= before


def test_a_block_that_takes_too_long_is_left() -> None:
    """And what comes after it has no limit any more."""
    with pytest.raises(TooSlowError, match="took more than"), time_limit(0.05):
        time.sleep(5)
    time.sleep(0.1)
