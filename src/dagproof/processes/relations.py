"""How processes belong together, as Linux says it in ``/proc``."""

from __future__ import annotations


def parent_of(pid: int) -> int:
    """Return the process id of the parent of a process or thread; 0 where there is none (any more)."""
    return _status(pid, 1)


def group_of(pid: int) -> int:
    """Return the process group of a process; 0 where there is none (any more)."""
    return _status(pid, 2)


def _status(pid: int, field: int) -> int:
    """Return a field of proc_pid_stat(5), counted from the one behind the name."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            # The name in the second field may hold spaces and brackets: count from the last bracket.
            return int(stat.read().rpartition(")")[2].split()[field])
    except (OSError, ValueError, IndexError):
        return 0
