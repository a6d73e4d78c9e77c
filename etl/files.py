"""Files that appear under their final name whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def atomic_write(target: Path) -> Iterator[BinaryIO]:
    """Open a binary file that takes the place of `target` when the block ends well.

    The bytes go to `.{name}.part` beside the target, are flushed to the disk and
    renamed over it, so that a reader sees the old file or the new one. If the
    block raises, the partial file is removed and the target is untouched. The
    partial file's name is always the same and its writer holds a lock on it: what
    a killed writer left is overwritten by the next one, and two writers at once
    take turns instead of mixing their bytes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with _open_locked(part) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    _sync_folder(target.parent)


def _open_locked(part: Path) -> BinaryIO:
    """Open the partial file, empty and locked; wait while another writer has it."""
    while True:
        file = open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "w+b")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_same_file(file, part):
                file.truncate(0)
                return file
        except BaseException:
            file.close()
            raise
        # The writer before us has renamed or removed what we had opened.
        file.close()


def _is_same_file(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Flush a folder to the disk: a rename is durable only then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
