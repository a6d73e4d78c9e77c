"""The program `date`, as a task's shell commands find it: it tells the world's time.

It runs on its own, so that it starts at once, as ``shell_date.py REAL ARGUMENT…`` where `REAL` is the program that does
the work. The world's time is that of the start of the run, and goes by from there. It takes part where the arguments
ask for the current time, or for one that is so and so long before or after it. ``date -d 'last monday'`` is left as it
is: there is no way to tell the real program another today.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

AHEAD = "DAGPROOF_AHEAD"
"""The environment variable that says by how many seconds the world's clock is ahead of the real one."""

_UNIT = r"(sec|second|min|minute|hour|day|week|fortnight|month|year)s?"
_RELATIVE = re.compile(
    rf"\s*((now|today|yesterday|tomorrow|(next|last|[+-]?\s*\d*)\s*{_UNIT}(\s+ago)?)\s*)*", re.IGNORECASE
)
#: Options that ask for the time of something else: a file's, or that of each line of one.
_ELSEWHERE = re.compile(r"-[uR]*[rfs].*|--(ref|file|set).*")
_TEXT = re.compile(r"(-[uR]*d|--date=)(.*)|--date", re.DOTALL)


def in_world(arguments: Sequence[str], now: float) -> list[str]:
    """Return the arguments with which the real program tells what it would if it were `now`, in seconds since 1970."""
    if any(_ELSEWHERE.fullmatch(argument) for argument in arguments):
        return list(arguments)
    changed = list(arguments)
    for number, argument in enumerate(arguments):
        if option := _TEXT.fullmatch(argument):
            if option[2]:
                changed[number] = option[1] + _moved(option[2], now)
            elif number + 1 < len(arguments):
                changed[number + 1] = _moved(arguments[number + 1], now)
            return changed
    return ["-d", f"@{now:.6f}", *arguments]


def _moved(text: str, now: float) -> str:
    if not _RELATIVE.fullmatch(text):
        return text
    return f"{text} {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))} UTC"


def install(folder: Path) -> None:
    """Put a `date` into the folder that stands before the system's; none where the system has none."""
    real = shutil.which("date")
    if real is None:
        return
    folder.mkdir()
    program = folder / "date"
    command = shlex.join([sys.executable, "-ES", __file__, real])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def main() -> None:
    """Become the real program."""
    real, *arguments = sys.argv[1:]
    ahead = os.environ.get(AHEAD)
    os.execv(real, [real, *(in_world(arguments, time.time() + float(ahead)) if ahead else arguments)])  # noqa: S606


if __name__ == "__main__":
    main()
