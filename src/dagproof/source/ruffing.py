"""What ruff's AIR rules say of files: asked once for all files that are looked at together."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

CODES = "AIR301,AIR302,AIR303"
"""What ruff takes to be refused; what it merely suggests (AIR311, AIR312) still works."""
MOST_FILES = 500
_NAME = re.compile(r"`([^`]+)`")


class Remark(NamedTuple):
    """One remark of ruff: the name that it is about, its text, and where it stands (both from 1)."""

    name: str
    text: str
    line: int
    column: int


def remarks(paths: Sequence[Path]) -> dict[Path, list[Remark]] | None:
    """Return what ruff remarks about files; None where it is not installed, or does not answer."""
    ruff = _ruff()
    if ruff is None:
        return None
    found: dict[Path, list[Remark]] = {}
    for start in range(0, len(paths), MOST_FILES):
        answer = _ask(ruff, paths[start : start + MOST_FILES])
        if answer is None:
            return None
        for entry in answer:
            name = _NAME.search(entry["message"])
            place = entry["location"]
            remark = Remark(name[1] if name else "", entry["message"], place["row"], place["column"])
            found.setdefault(Path(entry["filename"]), []).append(remark)
    return found


def _ruff() -> str | None:
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")


def _ask(ruff: str, paths: Sequence[Path]) -> list[dict[str, Any]] | None:
    command = [ruff, "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--quiet"]
    command += ["--select", CODES, "--output-format", "json", "--", *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
        return [entry for entry in json.loads(done.stdout) if str(entry.get("code") or "").startswith("AIR")]
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
