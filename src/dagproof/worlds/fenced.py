"""A command of the user's that fills a database, kept inside the world as a run is: it reaches the databases alone.

A file of settings that names the production database must not lead there. This module is also the program that puts
the fence up and then becomes the command.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from dagproof.inside.exchange import Allowed
from dagproof.inside.guard import Guard, notes_in
from dagproof.inside.notes import Notes
from dagproof.processes.child import ChildProcess
from dagproof.worlds.gate import Gate, ask_for_gate

_LINES = 5
#: Imports nothing from the current folder before the fence is up.
_PROGRAM = "import sys; sys.path = [path for path in sys.path if path]; from dagproof.worlds.fenced import main; main()"


def run_fenced(
    command: list[str], *, env: Mapping[str, str], cwd: Path, folder: Path, allowed: Allowed, timeout: float
) -> str:
    """Run a command to its end, or for `timeout` seconds; return what went wrong, in words that follow its name.

    `folder` is an empty one for its log and notes.
    """
    ours, theirs = socket.socketpair()
    notes = Notes(folder / "notes")
    arguments = [json.dumps(allowed.to_json()), str(theirs.fileno()), str(notes.path), *command]
    with theirs:
        process = ChildProcess(
            [sys.executable, "-c", _PROGRAM, *arguments],
            log=folder / "log",
            env=env,
            cwd=cwd,
            descriptors=[theirs.fileno()],
            stop=signal.SIGKILL,
            whole=True,
        )
    gate = Gate(Guard.of(allowed, notes.add), process.pid, ours)
    try:
        if not process.wait(timeout):
            return f"took more than {timeout:g} s; raise timeout in [tool.dagproof.world] if it must"
        if not process.status:
            return ""
        refused, _ = notes.end()
        said = "\n".join(f"    {line}" for line in process.said()[-_LINES:])
        told = "".join(f"; {sentence.replace('the run ', 'it ', 1)}" for sentence in refused)
        return f"ended {process.how_it_ended}{told}" + (f"; it printed:\n{said}" if said else "; it printed nothing")
    finally:
        process.close()
        gate.close()


def main() -> None:
    """Put the fence up that ``argv[1]`` describes, and become the command that ``argv[4:]`` is."""
    guard = Guard.of(Allowed.from_json(json.loads(sys.argv[1])), notes_in(sys.argv[3]))
    channel = socket.socket(fileno=int(sys.argv[2]))
    guard.up(lambda: ask_for_gate(channel))
    os.execvp(sys.argv[4], sys.argv[4:])  # noqa: S606 - no shell is what is wanted
