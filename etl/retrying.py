"""Try again what may succeed at the next attempt, with growing pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

T = TypeVar("T")


class AttemptError(Exception):
    """An attempt failed in a way that the next one may not.

    Args:
        clause: what happened, as a clause for the final error.
        wait: seconds that the other side asks to wait, if it does.
    """

    def __init__(self, clause: str, wait: float = 0.0) -> None:
        super().__init__(clause)
        self.wait = wait


def retried(attempt: Callable[[], T], *, attempts: int, sleep: Callable[[float], None] | None = None) -> T:
    """Call `attempt` up to `attempts` times, until it does not raise `AttemptError`; return what it returns.

    The pauses are 0.5, 1, 2, … 30 seconds, or longer where the error asks for that, but never longer than 30.

    Args:
        attempt: what to try.
        attempts: how often at the most, at least 1.
        sleep: how to pause; `time.sleep` by default.

    Raises:
        AttemptError: the last attempt failed as well.
    """
    retrying = Retrying(
        stop=stop_after_attempt(attempts),
        retry=retry_if_exception_type(AttemptError),
        wait=_pause,
        sleep=sleep or time.sleep,
        reraise=True,
    )
    return retrying(attempt)


_growing = wait_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, AttemptError) else 0.0
    return min(max(_growing(state), asked), LONGEST_PAUSE)


def times(attempts: int) -> str:
    """Return ``1 attempt`` or ``4 attempts``."""
    return f"{attempts} attempt{'' if attempts == 1 else 's'}"
