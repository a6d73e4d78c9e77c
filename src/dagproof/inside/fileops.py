"""Faults in the process: a run can be killed, or held, at each thing that it does to the files of its world.

Seen are the operations of Python code: opening a file for writing (with ``open`` or ``os.open``), rename, replace,
unlink and their like. A library that opens files in C (pyarrow's own file system, say) is not seen.
"""

from __future__ import annotations

import builtins
import io
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagproof.inside.exchange import FileOperation, FileWatch

NOUNS = {
    "os.rename": "rename to",
    "os.link": "link to",
    "os.symlink": "link to",
    "os.remove": "remove",
    "os.rmdir": "remove",
    "os.truncate": "truncate",
    "shutil.rmtree": "remove",
}
TARGET_COMES_SECOND = {"os.rename", "os.link", "os.symlink"}


class FileOperations:
    """Counts what a process does to the files of the world, and at one of them does what is planned.

    A file that is opened for writing counts when it is open (and so, as a rule, empty); everything else counts
    before it happens. Operations are numbered from 1.
    """

    def __init__(self, watch: FileWatch, task: Callable[[], str]) -> None:
        self._folders = {os.path.realpath(folder).rstrip("/") + "/": name for name, folder in watch.folders.items()}
        self._plan = watch.plan
        self._task = task
        self._sleep = time.sleep
        self._clock = time.monotonic
        self.seen: list[FileOperation] = []
        """What happened so far."""

    def watch(self) -> None:
        """Begin; there is no end but that of the process."""
        real_open = io.open

        def opening(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            before = len(self.seen)
            stream = real_open(file, mode, *args, **kwargs)
            seen_within = len(self.seen) > before  # by an opener, which may open what it wants to, as tempfile's do
            if isinstance(file, str | bytes | os.PathLike) and set(mode) & set("wax+") and not seen_within:
                self._note_open(os.fsdecode(file))
            return stream

        real_descriptor = os.open

        def descriptor(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            number = real_descriptor(path, flags, *args, **kwargs)
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and kwargs.get("dir_fd") is None:
                self._note_open(os.fsdecode(path))
            return number

        os.open = descriptor
        os.supports_dir_fd.add(descriptor)
        io.open = opening
        builtins.open = opening
        if hasattr(pathlib, "_NormalAccessor"):  # Python 3.10: paths keep the open of when pathlib was imported
            pathlib._NormalAccessor.open = staticmethod(opening)
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        noun = NOUNS.get(event)
        if noun is not None:
            path = args[1 if event in TARGET_COMES_SECOND else 0]
            if isinstance(path, str | bytes | os.PathLike):
                self._note(noun, os.fsdecode(path))

    def _note_open(self, path: str) -> None:
        """Note that a file is open for writing; what is opened by its folder has no name, and nobody ever sees it."""
        if not os.path.isdir(path):
            self._note("open", path)

    def _note(self, noun: str, path: str) -> None:
        full = os.path.realpath(path)
        folder = next((folder for folder in self._folders if full.startswith(folder)), None)
        if folder is None:
            return
        name = self._folders[folder] + full[len(folder) :]
        self.seen.append(FileOperation(f"{noun} {name}", self._task()))
        if self._plan is not None and len(self.seen) == self._plan.at:
            if self._plan.action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            self._hold(Path(self._plan.reached), Path(self._plan.go))

    def _hold(self, reached: Path, go: Path) -> None:
        os.close(os.open(reached, os.O_WRONLY | os.O_CREAT, 0o600))
        deadline = self._clock() + 60.0
        while not go.exists() and self._clock() < deadline:
            self._sleep(0.002)
