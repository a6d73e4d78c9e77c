"""Time limits that hold: for a check as a whole, and for a learner's function, which is called in a child process."""

from __future__ import annotations

import os
import pickle
import select
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class TooSlowError(BaseException):  # no Exception, so that no code in between takes it for an error of its own
    """The time is up."""


class LearnerError(Exception):
    """A learner's function raised; the message says what, and in which line."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TooSlowError` in the block when it takes longer; outside the main thread there is no limit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise TooSlowError(f"it took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def call_in_child(function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
    """Return what the function returns, called in a forked process that is killed when its time is up.

    Raises:
        TooSlowError: it was. LearnerError: the function raised, or what it returned cannot be sent.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the kernel has threads; the child needs none of them
        pid = os.fork()
    if pid == 0:
        _answer(function, args, writing)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if answer is None:
        raise TooSlowError(f"{function.__name__}() took more than {seconds:g} s")
    if not answer:
        raise LearnerError(f"{function.__name__}() ended the process")
    kind, value = pickle.loads(answer)  # noqa: S301 - our own child has written it
    if kind == "error":
        raise LearnerError(value)
    return value


def _answer(function: Callable[..., Any], args: tuple[Any, ...], writing: int) -> None:
    """In the child: send what the function returns, and end."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            sent = pickle.dumps(("value", function(*args)))
        except BaseException as error:
            sent = pickle.dumps(("error", describe(error)))
        while sent:
            sent = sent[os.write(writing, sent) :]
    finally:
        os._exit(0)


def _read(reading: int, deadline: float) -> bytes | None:
    """Return all that is written until the other end closes; None when it is too late."""
    parts: list[bytes] = []
    while True:
        if not select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        part = os.read(reading, 65536)
        if not part:
            return b"".join(parts)
        parts.append(part)


def describe(error: BaseException) -> str:
    """Return ``ValueError: text (line 3)``, the line being the innermost one of the learner's own code."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _is_cell(frame.filename)]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"


def _is_cell(filename: str) -> bool:
    return "ipykernel" in filename or filename.startswith("<")
