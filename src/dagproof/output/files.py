"""Files that we write for people: whole or not at all, and never over what is not ours."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from dagproof.errors import UsageError
from dagproof.output.crashes import FULL
from dagproof.output.text import visible

IsOurs = Callable[[bytes], bool]
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)
_EXAMPLES = {"report": "proof.html", "baseline": "dagproof-baseline.json"}
_HEAD = 1 << 16
"""Bytes at the beginning of a file in which it shows whose it is."""


def check_target(path: Path, what: str, *, is_ours: IsOurs | None = None, force: bool = False) -> None:
    """Refuse a path that :func:`write_file` would refuse, before any work is done for it.

    Args:
        path: where something will be written.
        what: how a message calls it, such as ``report``.
        is_ours: tells from the beginning of a file whether it may be replaced; None: every file may.
        force: whether files may be replaced that are not ours.

    Raises:
        UsageError: there is something else than a regular file, somebody else's file, or no folder for it.
    """
    shown = visible(str(path))
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        _check_folder(path, what)
        return
    except (OSError, ValueError) as error:
        raise UsageError(f"the {what} cannot be written to {shown} ({_reason(error)}); name another file") from None
    if stat.S_ISLNK(found.st_mode):
        place = visible(os.path.realpath(path))
        raise UsageError(f"{shown} is a link to {place}, and the {what} does not follow links; name a regular file")
    kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "")
    if kind:
        like = f", such as {shown}/{_EXAMPLES[what]}" if kind == "a folder" and what in _EXAMPLES else ""
        raise UsageError(f"{shown} is {kind}, not a regular file; name another file for the {what}{like}")
    _check_folder(path, what)
    if is_ours is not None and not force and not _is_ours(path, found.st_size, is_ours):
        raise UsageError(
            f"{shown} exists, and dagproof did not write it; name another file for the {what}, or replace it with "
            "--force"
        )


def write_file(path: Path, data: bytes, what: str, *, is_ours: IsOurs | None = None, force: bool = False) -> None:
    """Write a file in one step: a reader sees the old one or the new one. An old one's mode and owner are kept.

    Args:
        path: where; no link is followed.
        data: all of it.
        what: how a message calls it.
        is_ours: see :func:`check_target`, which is asked once more.
        force: likewise.

    Raises:
        UsageError: it is refused, or cannot be written; what was there is as it was.
    """
    check_target(path, what, is_ours=is_ours, force=force)
    part = path.with_name(
        f".dagproof-{secrets.token_hex(8)}.part"
    )  # short: the name itself may be the longest there is
    try:
        _write(part, data, os.lstat(path) if os.path.lexists(path) else None)
        os.replace(part, path)
    except OSError as error:
        raise UsageError(
            f"the {what} cannot be written to {visible(str(path))} ({_reason(error)}); name another file"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _write(part: Path, data: bytes, old: os.stat_result | None) -> None:
    """Write a new file, with the mode and the owner of an old one if there is one."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with open(descriptor, "wb") as file:
        file.write(data)
        if old is not None:
            with contextlib.suppress(PermissionError):  # somebody else's file in a folder of ours becomes ours
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _check_folder(path: Path, what: str) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {visible(str(folder))} for the {what} {visible(path.name)}; create it, or name "
            "another file"
        )
    if not os.access(folder, os.W_OK):
        raise UsageError(
            f"{visible(str(folder))} is not writable; name another file for the {what} {visible(path.name)}"
        )


def _is_ours(path: Path, size: int, is_ours: IsOurs) -> bool:
    """An empty file is anybody's: somebody made room."""
    if size == 0:
        return True
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return stat.S_ISREG(os.fstat(descriptor).st_mode) and is_ours(file.read(_HEAD))
    except OSError:
        return False


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return "no space left" if error.errno in FULL else error.strerror or str(error)
    return str(error)
