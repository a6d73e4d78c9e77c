"""Faults in the process: a run can be killed, held, or meet an error, at each thing it does to files of its world.

Seen are the operations of Python code: opening a file for writing (with ``open`` or ``os.open``), rename, replace,
unlink and their like. A library that opens files in C (pyarrow's own file system, say) is not seen. Opening a file for
reading changes nothing, and is counted apart: there, a run can only meet an error.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagproof.inside.exchange import FileOperation
from dagproof.inside.fileerrors import LATER, LateErrors, failure, open_failing
from dagproof.inside.plans import FileWatch

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
    before it happens. Operations are numbered from 1, and so are the files that are opened for reading.
    """

    def __init__(self, watch: FileWatch, task: Callable[[], str]) -> None:
        self._folders = {os.path.realpath(folder).rstrip("/") + "/": name for name, folder in watch.folders.items()}
        self._plan = watch.plan
        self._task = task
        self._sleep = time.sleep
        self._clock = time.monotonic
        self._failed = ""
        self._late = LateErrors()
        self.seen: list[FileOperation] = []
        """What happened so far."""
        self.reads: list[FileOperation] = []
        """What was opened for reading so far."""

    def watch(self) -> None:
        """Begin; there is no end but that of the process."""
        real_open = io.open

        def opening(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            before = len(self.seen), len(self.reads)
            is_path, writes = isinstance(file, str | bytes | os.PathLike), bool(set(mode) & set("wax+"))
            late = self._late.of(file) if isinstance(file, int) else None
            if is_path:
                late = self._error_of_open(os.fsdecode(file), writes=writes)
            if late is None:
                stream = real_open(file, mode, *args, **kwargs)
            else:
                stream = open_failing(late, file, mode, *args, **kwargs)
            # what an opener opens is what it wants to, as tempfile's do
            if is_path and (len(self.seen), len(self.reads)) == before:
                self._note_open(os.fsdecode(file), writes=writes)
            return stream

        real_descriptor = os.open

        def descriptor(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            is_path = kwargs.get("dir_fd") is None
            late = self._error_of_open(os.fsdecode(path), writes=writes) if is_path else None
            number = real_descriptor(path, flags, *args, **kwargs)
            if is_path:
                self._note_open(os.fsdecode(path), writes=writes)
            self._late.note(number, late)
            return number

        os.read, os.write = self._late.reading(os.read), self._late.writing(os.write)
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
                text = os.fsdecode(path)
                name = self._note(noun, text)
                if name and self._fails("file", f"{noun} {name}", len(self.seen)):
                    raise failure(self._number, path)

    @property
    def _number(self) -> int:
        return self._plan.error if self._plan else 0

    def _name(self, path: str) -> str:
        """Return a file of the world by its store; an empty text for another one."""
        full = os.path.realpath(path)
        folder = next((folder for folder in self._folders if full.startswith(folder)), None)
        return self._folders[folder] + full[len(folder) :] if folder else ""

    def _fails(self, of: str, what: str, number: int) -> bool:
        """Tell whether the operation with this number is the one that fails, or one like it after that."""
        plan = self._plan
        if plan is None or plan.action != "fail" or plan.of != of:
            return False
        if number == plan.at:
            self._failed = what
            return True
        alike = what == self._failed or (plan.error == errno.ENOSPC and bool(self._failed))  # it is one disk
        return plan.lasts and alike

    def _error_of_open(self, path: str, *, writes: bool) -> int | None:
        """Raise what is planned for a file before it is opened; return what is to happen when it is, None for nothing.

        A full disk shows when something is written, and an error of the device when something is read.
        """
        if self._plan is None or self._plan.action != "fail" or not (name := self._name(path)) or os.path.isdir(path):
            return None
        number = len(self.seen if writes else self.reads) + 1
        if not self._fails("file" if writes else "read", f"open {name}", number):
            return None
        if self._number in LATER and (self._number == errno.ENOSPC) == writes:
            return self._number
        self._note_open(path, writes=writes)
        raise failure(self._number, path)

    def _note_open(self, path: str, *, writes: bool) -> None:
        """Note that a file is open; what is opened by its folder has no name, and nobody ever sees it."""
        if os.path.isdir(path):
            return
        if writes:
            self._note("open", path)
        elif name := self._name(path):
            self.reads.append(FileOperation(f"read {name}", self._task()))

    def _note(self, noun: str, path: str) -> str:
        """Note what happens to a file; return its name, which is empty where it is not one of the world."""
        name = self._name(path)
        if not name:
            return name
        self.seen.append(FileOperation(f"{noun} {name}", self._task()))
        if self._plan is not None and self._plan.action != "fail" and len(self.seen) == self._plan.at:
            if self._plan.action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            self._hold(Path(self._plan.reached), Path(self._plan.go))
        return name

    def _hold(self, reached: Path, go: Path) -> None:
        os.close(os.open(reached, os.O_WRONLY | os.O_CREAT, 0o600))
        deadline = self._clock() + 60.0
        while not go.exists() and self._clock() < deadline:
            self._sleep(0.002)
