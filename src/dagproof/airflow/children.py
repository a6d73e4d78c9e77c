"""Forked children: their ends, what they leave, and how much they may write."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1
#: Seconds between two looks at how much a run has written.
LOOK_AT_DISK = 0.25


class Disk:
    """A folder, and how many bytes may be in it; one file alone is held to that by the kernel, too."""

    def __init__(self, folder: str, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._looked = time.monotonic()

    def limit_files(self) -> None:
        """Let no file of this process grow past the limit: writing then fails as on a full disk."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))

    def is_full(self) -> bool:
        """Tell whether there is more in the folder than may be; looked at now and then only."""
        if time.monotonic() - self._looked < LOOK_AT_DISK:
            return False
        total = 0
        for parent, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(parent, name)).st_blocks * 512
        self._looked = time.monotonic()
        return total > self.limit * 1.05  # a file alone that is too large is the kernel's to stop


@contextlib.contextmanager
def end_of(pid: int) -> Iterator[list[int]]:
    """Yield a descriptor that can be read once the process has ended (none where the system has no such thing)."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield []
        return
    try:
        yield [descriptor]
    finally:
        os.close(descriptor)


def adopt_orphans() -> None:
    """Become the parent of whatever a child leaves behind, where the kernel has that (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """In a child: be killed when the parent ends, however that comes about (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def children_of(pid: int) -> list[int]:
    """Return the process ids of the direct children of `pid` (Linux; none where /proc does not tell)."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def how_it_ended(status: int) -> str:
    """Return why a run is over whose process ended before it was done."""
    if os.WIFSIGNALED(status):
        return f"the process of the run was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"the process of the run ended with exit status {os.waitstatus_to_exitcode(status)} before it was done"
