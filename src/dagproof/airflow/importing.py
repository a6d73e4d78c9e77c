"""Import one DAG file as the DAG processor would, in a process of its own, and describe what comes of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import mmap
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from dagproof.airflow import bundle, private
from dagproof.airflow.describing import Recorder, describe
from dagproof.airflow.frames import Place, UserCode
from dagproof.airflow.watching import Watch, watch_lookups

DAG_MODULE = "unusual_prefix_"
FAR = 900
MOST_TOLD = 256_000_000
"""Bytes that may be told of one file."""
ROOM_FOR_FAILURE = 100_000


class Import:
    """One file that is imported in this process.

    Args:
        path: the file.
        folder: the bundle it belongs to.
        user: the user's own code.
        watch: sees what the file does; it has been put up already.
        before: called just before the file's own code runs.
    """

    def __init__(
        self, path: Path, folder: Path, user: UserCode, watch: Watch, before: Callable[[], None] = lambda: None
    ) -> None:
        self._on_start = before
        self.path = path
        self.folder = folder
        self.user = user
        self.watch = watch
        self.recorder = Recorder(user)
        self.seconds = 0.0
        self.errors: list[tuple[str, BaseException]] = []
        self.dags: list[Any] = []
        self._before = set(sys.modules)

    def run(self) -> dict[str, str]:
        """Import it; return what Airflow says of files that it could not import."""
        self.recorder.install()
        watch_lookups(self.watch)
        for loader in private.dag_file_loaders():
            self._time(loader)
        threads = threading.active_count()
        self.watch.start()
        try:
            bag = bundle.bundle_bag(self.folder, self.path)
        finally:
            self.watch.stop()
            self.threads = threading.active_count() - threads
        self.dags = list(bag.dags.values())
        return dict(bag.import_errors)

    def _time(self, loader: Any) -> None:
        """Let a loader tell how long it takes for the DAG file, and what stops it."""
        original: Callable[..., None] = loader.exec_module

        @wraps(original)
        def exec_module(itself: Any, module: Any) -> None:
            name = getattr(module, "__name__", "")
            if not (name.startswith(DAG_MODULE) or str(self.path) in str(getattr(itself, "archive", ""))):
                return original(itself, module)
            self._on_start()
            started = time.perf_counter()
            try:
                return original(itself, module)
            except BaseException as error:
                self.errors.append((name, error))
                raise
            finally:
                self.seconds += time.perf_counter() - started

        loader.exec_module = exec_module

    def report(self, said: dict[str, str]) -> dict[str, object]:
        """Return what came of it, as plain data; `said` is what Airflow says of errors."""
        return {
            "seconds": self.seconds,
            "dags": [describe(dag, self.recorder) for dag in self.dags],
            "made": self.recorder.made(),
            "error": self._error(said),
            "threads": self.threads,
            "made_up": self.watch.made_up,
            "imported": self._imported(),
        }

    def _error(self, said: dict[str, str]) -> dict[str, object] | None:
        if self.errors:
            return error_data(self.errors[0][1], self.user, refused=self.watch.refused)
        if said:
            lines = [line for line in next(iter(said.values())).strip().splitlines() if line.strip()]
            kind, _, message = (lines[-1] if lines else "").partition(": ")
            return {"type": kind, "message": message, "chain": [], "module": None, "refused": False, "text": None}
        return None

    def _imported(self) -> list[str]:
        """The user's own files that were imported by it."""
        modules = [sys.modules[name] for name in set(sys.modules) - self._before]
        files = {str(getattr(module, "__file__", "")) for module in modules}
        return sorted(file for file in files if self.user.has(file) and file != str(self.path))


def error_data(error: BaseException, user: UserCode, *, refused: bool) -> dict[str, object]:
    """Return an error as plain data: its type, message, place, and the module that is missing."""
    module = error.name if isinstance(error, ModuleNotFoundError) else None
    chain = user.chain_of_error(error.__traceback__)
    text = None
    if isinstance(error, SyntaxError):
        text = (error.text or "").rstrip("\n") or None
        path, line = error.filename or "", error.lineno or 1
        if user.has(path):
            chain.append(Place(path=path, line=line, column=error.offset or 1, end_line=error.end_lineno or line))
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return {
        "type": type(error).__name__,
        "message": message.strip()[:2_000],
        "chain": chain,
        "module": module,
        "refused": refused,
        "text": text,
    }


def silence() -> None:
    """Let nothing that is printed or logged go anywhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    logging.disable(logging.CRITICAL)


def apart(path: Path) -> int:
    """Open a file for writing, at a descriptor that code which closes all it can think of does not think of."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    with contextlib.suppress(OSError, ValueError):
        far = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FAR)
        os.close(descriptor)
        return far
    return descriptor


class Report:
    """Memory that a child shares with its parent: events, and the result at the end, one line of JSON each.

    No descriptor leads to it, so that a file which closes, or writes to, all descriptors that it finds changes nothing.
    Each line begins with a secret. It holds what it needs, so that a file that replaces everything still has its
    result told. Whoever makes it does so before the child is forked.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_hex(16).encode()
        self._memory = mmap.mmap(-1, MOST_TOLD)  # anonymous: pages that nobody writes to take no memory
        self._end = 0
        self._dumps = json.JSONEncoder().encode

    def tell(self, **data: Any) -> None:
        """Write one line.

        Raises:
            ValueError: there is no more room for it.
        """
        line = self._secret + self._dumps(data).encode() + b"\n"
        if self._end + len(line) > MOST_TOLD - ROOM_FOR_FAILURE * ("failure" not in data):
            raise ValueError(f"it describes more than {MOST_TOLD // 1_000_000:,} MB of DAGs")
        self._memory[self._end : self._end + len(line)] = line
        self._end += len(line)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield, in the parent, what the child has told; what does not begin with the secret is not from it."""
        at = 0
        while (end := self._memory.find(b"\n", at)) >= 0 and self._memory[at : at + len(self._secret)] == self._secret:
            yield json.loads(self._memory[at + len(self._secret) : end])
            at = end + 1

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
