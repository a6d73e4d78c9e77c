"""What the user sees when dagproof itself fails: one sentence, and a file to send."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence

from dagproof.errors import CrashError, DagproofError, UsageError
from dagproof.output.text import printable, visible

FULL = (errno.ENOSPC, errno.EDQUOT)
OF_THE_MACHINE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EIO,
)
"""What the system says of a path that we could not foresee, and that no change of ours would help."""
_LEAST_ROOM = 1 << 20
_LONGEST = 300


def understood(error: BaseException) -> DagproofError | None:
    """Return an error that is the machine's and no fault of ours as one sentence; None where it is none of these."""
    if isinstance(error, DagproofError):
        return error
    if isinstance(error, OSError) and error.errno in FULL:
        where = error.filename or tempfile.gettempdir()
        return UsageError(
            f"no space left for {visible(os.fsdecode(where))}; free some, or set TMPDIR to a folder with more"
        )
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return UsageError("no more files can be opened; raise the limit (`ulimit -n`), or use fewer --jobs")
    if isinstance(error, OSError) and error.errno in OF_THE_MACHINE and error.filename is not None:
        return UsageError(f"{visible(_cut(os.fsdecode(error.filename)))} cannot be used ({error.strerror})")
    if isinstance(error, MemoryError):
        return UsageError("out of memory; check fewer files at once, or prove with --jobs 1")
    return None


def without_room() -> str:
    """Return that no space is left for temporary files, as a clause that follows another; nothing where there is."""
    folder = tempfile.gettempdir()
    try:
        left = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return (
        f"; no space left in {visible(folder)}: free some, or set TMPDIR to another folder"
        if (left < _LEAST_ROOM)
        else ""
    )


def crashed(error: BaseException, arguments: Sequence[str]) -> str:
    """Return the sentence about an error that nobody foresaw; its traceback is in a file that the sentence names."""
    trace = error.trace if isinstance(error, CrashError) else "".join(traceback.format_exception(error))
    what = error.what if isinstance(error, CrashError) else summary(error)
    return (
        f"this is a bug in dagproof, so there is no verdict ({what}); please report it to its maintainers with "
        f"{_kept(trace, arguments)}"
    )


def summary(error: BaseException) -> str:
    """Return the kind of an error and its message, in one line that is not too long."""
    return visible(_cut(" ".join(f"{type(error).__name__}: {error}".split())))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _kept(trace: str, arguments: Sequence[str]) -> str:
    """Write a traceback to a file and return its path; the traceback itself where no file can be written."""
    from dagproof import __version__

    head = (
        f"dagproof {__version__}, Python {sys.version.split()[0]}, {platform.platform()}\narguments: {arguments!r}\n\n"
    )
    text = printable(head + trace)
    try:
        descriptor, path = tempfile.mkstemp(prefix="dagproof-crash-", suffix=".txt")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return f"this traceback:\n{text}"
    return f"the file {path}"
