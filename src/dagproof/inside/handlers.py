"""Notes which handlers in the user's own code take an error, so that it goes no further.

It is a trace function, confined to the user's files, and so slow that only the run is traced which explains a verdict.
An error is taken where a frame goes on in an ``except`` clause, or behind a ``with``, and no frame above sees the same
error again.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import FrameType
from typing import Any

from dagproof.inside.exchange import Taken

#: Errors that are no errors, but how loops and threads end.
_QUIET = (StopIteration, StopAsyncIteration, GeneratorExit)
_OWNED_BY_OTHERS = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
MOST = 200


@dataclass
class _Seen:
    """An error in a frame, and the line at which that went on."""

    error: BaseException
    file: str
    raised: int
    task: str
    line: int = 0
    settled: bool = False
    """Whether it is known where the frame goes on."""


class Handlers:
    """Traces the user's files in all threads that begin from now on, for as long as the process lives."""

    def __init__(self, folders: Sequence[str], task: Callable[[], str]) -> None:
        self._folders = tuple(os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in folders)
        self._task = task
        self._known: dict[str, bool] = {}
        self._of_frame: dict[FrameType, _Seen] = {}
        self._all: list[_Seen] = []

    def trace(self) -> None:
        """Begin."""
        threading.settrace(self._called)
        sys.settrace(self._called)

    def taken(self) -> tuple[Taken, ...]:
        """Return the errors that were taken, in the order in which they were."""
        sys.settrace(None)
        return tuple(
            Taken(
                f"{type(seen.error).__name__}: {' '.join(str(seen.error).split())}"[:200],
                seen.task,
                seen.file,
                seen.line,
                linecache.getline(seen.file, seen.line).strip(),
            )
            for seen in self._all
            if seen.line
        )

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if file not in self._known:
            is_own = file.startswith(self._folders) and not any(part in file for part in _OWNED_BY_OTHERS)
            self._known[file] = is_own
        return self._traced if self._known[file] else None

    def _traced(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception" and not isinstance(argument[1], _QUIET):
            self._raised(frame, argument[1])
        elif event == "line" and frame in self._of_frame:
            self._went_on(frame)
        elif event == "return":
            seen = self._of_frame.pop(frame, None)
            if seen and frame.f_lineno in _raises(seen.file):
                seen.line = 0  # it has raised it again as it was
        return self._traced

    def _raised(self, frame: FrameType, error: BaseException) -> None:
        """Note an error; what a frame below, or this one, has taken is raised again where this comes of it."""
        causes = _causes(error)
        for seen in self._all:
            if any(seen.error is cause for cause in causes):
                seen.line = 0
        if len(self._all) < MOST:
            self._of_frame[frame] = seen = _Seen(error, frame.f_code.co_filename, frame.f_lineno, self._task())
            self._all.append(seen)

    def _went_on(self, frame: FrameType) -> None:
        """Note where a frame goes on with its error: the last ``except`` that it looks at is the one that takes it."""
        seen = self._of_frame[frame]
        if seen.settled:
            return
        if frame.f_lineno in _clauses(seen.file):
            seen.line = frame.f_lineno
        elif seen.line:
            seen.settled = True
        elif not _is_in_finally(seen.file, frame.f_lineno):
            seen.line, seen.settled = seen.raised, True  # a `with` that suppresses it


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


@cache
def _tree(file: str) -> ast.AST:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


@cache
def _clauses(file: str) -> frozenset[int]:
    """Return the lines of the file at which an ``except`` clause begins."""
    return frozenset(node.lineno for node in ast.walk(_tree(file)) if isinstance(node, ast.ExceptHandler))


@cache
def _raises(file: str) -> frozenset[int]:
    """Return the lines of the file with a ``raise`` that says nothing else."""
    nodes = (node for node in ast.walk(_tree(file)) if isinstance(node, ast.Raise) and node.exc is None)
    return frozenset(node.lineno for node in nodes)


@cache
def _finals(file: str) -> tuple[tuple[int, int], ...]:
    """Return the first and last lines of what is done ``finally``, and of the heads of ``with`` statements."""
    found = []
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Try) and node.finalbody:
            found.append((node.finalbody[0].lineno, node.finalbody[-1].end_lineno or 0))
        elif isinstance(node, ast.With | ast.AsyncWith):
            found.append((node.lineno, max(item.context_expr.end_lineno or 0 for item in node.items)))
    return tuple(found)


def _is_in_finally(file: str, line: int) -> bool:
    return any(first <= line <= last for first, last in _finals(file))


def set_up(folders: Sequence[str], task: Callable[[], str]) -> Handlers | None:
    """Trace the code below `folders`; None where there are none."""
    if not folders:
        return None
    handlers = Handlers(folders, task)
    handlers.trace()
    return handlers
