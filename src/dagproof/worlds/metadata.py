"""The file of a metadata database (SQLite), and what lies beside it."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace_metadata(template: Path, path: Path) -> None:
    """Make `path` a copy of `template`.

    A run that was killed leaves its write-ahead log behind, which SQLite would apply to the copy and so destroy it.
    """
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(template, path)
