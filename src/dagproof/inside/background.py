"""Threads that importing a DAG file starts: error reporters, heartbeats, caches that refresh themselves.

A process with threads cannot be forked soundly. In production a task's process imports the file by itself, and has
the thread. So a daemon thread that nobody waits for is held back while files are imported, and each run starts it for
itself. It goes by the real time: were its sleeps skipped, it would drive the world's clock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

_start = threading.Thread.start
_held: list[threading.Thread] = []
_started_by: dict[threading.Thread, str] = {}
_by_runs: set[threading.Thread] = set()
_FRAMES = frozenset(sys.stdlib_module_names) | {"dagproof"}


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back the daemon threads that are started within; as soon as somebody waits, they start after all."""
    importer = threading.current_thread()

    def start(thread: threading.Thread) -> None:
        _started_by[thread] = _starter()
        if thread in _held:
            raise RuntimeError("threads can only be started once")
        if thread.daemon and threading.current_thread() is importer:
            _held.append(thread)
        else:
            _start(thread)

    def waiting(original: Any) -> Any:
        def wait(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is importer:
                _let_go()
            return original(*args, **kwargs)

        return wait

    thread, condition = threading.Thread, threading.Condition
    with (
        patch.object(thread, "start", start),
        patch.object(thread, "join", waiting(thread.join)),
        patch.object(thread, "is_alive", waiting(thread.is_alive)),
        patch.object(condition, "wait", waiting(condition.wait)),
    ):
        yield


def _let_go() -> None:
    while _held:
        _start(_held.pop(0))


def forget() -> None:
    """Forget what was held back: what started it is imported anew."""
    _held.clear()


def start_held_back() -> None:
    """Start, in a run's own process, what was held back."""
    while _held:
        thread = _held.pop(0)
        _by_runs.add(thread)
        _start(thread)


def is_background() -> bool:
    """Tell whether the current thread is one of those."""
    return threading.current_thread() in _by_runs


def named(thread: threading.Thread) -> str:
    """Return a thread's name, and which module started it where that is known."""
    by = _started_by.get(thread)
    return f"{thread.name}, started by {by}" if by else thread.name


def _starter() -> str:
    """Return the module, outside the standard library, that starts a thread, and its line."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] not in _FRAMES:
            shown = frame.f_code.co_filename if name.startswith("unusual_prefix_") else name
            return f"{shown}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
