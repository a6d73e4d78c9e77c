"""Who waits for a lock on a file, as Linux says it in ``/proc/locks``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dagproof.processes.relations import parent_of

_LOCKS = Path("/proc/locks")


def waits_for_file_lock(pid: int, holder: int) -> bool:
    """Tell whether a process waits for a lock on a file (``flock``, ``lockf``) that another one, `holder`, has.

    Processes that either has started count as itself. It is False on a system without ``/proc/locks``, such as macOS.

    Source: proc_locks(5): a lock and the requests that wait for it have the same number; a waiting request has ``->``
    behind it, and the process id is the sixth field then, else the fifth.
    """
    return any(pid in _with_ancestors(waiting) and holder in _with_ancestors(has) for waiting, has in _waiting())


def _waiting() -> Iterator[tuple[int, int]]:
    """Yield the process ids of who waits for a lock and of who has it."""
    holders: dict[str, int] = {}
    with contextlib.suppress(OSError):
        for line in _LOCKS.read_text().splitlines():
            number, *fields = line.split()
            if fields[:1] == ["->"]:
                yield int(fields[4]), holders.get(number, 0)
            else:
                holders[number] = int(fields[3])


def _with_ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        pid = parent_of(pid)
