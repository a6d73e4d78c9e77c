"""Which processes run: to see that nothing is left."""

from __future__ import annotations

import os
from pathlib import Path


def command_lines_of(place: Path | str) -> dict[int, str]:
    """Return the command lines, by id, of processes with `place` in command line, environment or current folder."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(entry / name).read_bytes() for name in ("cmdline", "environ")]
            texts.append(os.fsencode(os.readlink(entry / "cwd")))
            dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            continue
        if not dead and any(os.fsencode(place) in text for text in texts):
            found[int(entry.name)] = texts[0].replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def processes_of(place: Path | str) -> list[str]:
    """Return their command lines."""
    return list(command_lines_of(place).values())
