"""Who waits for a lock on a file, as Linux says it in ``/proc/locks``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dagproof.processes.relations import parent_of

_LOCKS = Path("/proc/locks")


def waits_for_file_lock(pid: int) -> bool:
    """Tell whether a process, or one that it has started, waits for a lock on a file (``flock``, ``lockf``).

    It is False on a system without ``/proc/locks``, such as macOS.

    Source: proc_locks(5): a waiting request has ``->`` behind its number, and the process id as its sixth field.
    """
    return any(pid in _with_ancestors(waiting) for waiting in _waiting())


def _waiting() -> Iterator[int]:
    with contextlib.suppress(OSError):
        for line in _LOCKS.read_text().splitlines():
            _, *fields = line.split()
            if fields[:1] == ["->"]:
                yield int(fields[4])


def _with_ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        pid = parent_of(pid)
