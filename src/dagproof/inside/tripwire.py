"""A tripwire: notes which line of the user's code asks for the time, for something random, or for the machine's name.

What a log line is stamped with does not count.
"""

from __future__ import annotations

import linecache
import os
import platform
import random
import re
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import time_machine

from dagproof.inside.exchange import Trip

TIME, RANDOM, MACHINE = "the time", "a random value", "the machine"
MOST = 50
_LOGGING = ("logging", "structlog")
#: What Airflow asks for, it asks for itself (the time of a log line, mostly), unless it is asked for the time.
_AIRFLOW, _TIME_OF_AIRFLOW = "airflow.", re.compile(r"airflow\..*\btimezones?\b")
#: Frames between what asks and the user's line, when that line just imports a library.
_IMPORTING = "<frozen importlib._bootstrap>"
#: The real one: the driver sees by it what a run has sent to the database before.
_now = time.monotonic
_OWNED_BY_OTHERS = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Tripwire:
    """Notes callers, once for each line."""

    def __init__(self, folders: Sequence[str], task: Callable[[], str]) -> None:
        self._folders = tuple(os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in folders)
        self._task = task
        self._known: set[tuple[str, str, int]] = set()
        self._seeded = False
        self.trips: list[Trip] = []

    def stretch(self) -> None:
        """Put it up, for as long as the process lives; the clock is one of time-machine's already."""
        # whichever way the time is asked for, time-machine asks its traveller, on the caller's own frame
        self._wrap(type(time_machine.traveller_stack[-1]), "time_ns", TIME)
        for module, name in ((os, "urandom"), (random, "_urandom"), (uuid, "uuid1")):
            self._wrap(module, name, RANDOM)
        hidden = random.random.__self__  # type: ignore[attr-defined]  # the generator behind the module's functions
        for name in ("random", "_randbelow", "getrandbits"):
            self._wrap(random.Random, name, RANDOM, only=hidden)
        random.random = hidden.random
        random.getrandbits = hidden.getrandbits
        if "numpy" in sys.modules:
            for name in ("rand", "randn", "randint", "random", "choice", "shuffle", "permutation", "normal", "uniform"):
                self._wrap(sys.modules["numpy"].random, name, RANDOM)
        self._wrap(tempfile._RandomNameSequence, "__next__", RANDOM)  # type: ignore[attr-defined]
        for module, name in ((socket, "gethostname"), (platform, "node"), (os, "uname")):
            self._wrap(module, name, MACHINE)
        self._wrap(os, "getpid", MACHINE, directly=True)  # libraries ask for it to notice a fork
        random.seed = self._seed

    def _seed(self, a: Any = None, version: int = 2) -> None:
        random.Random.seed(random.random.__self__, a, version)  # type: ignore[attr-defined]
        self._seeded = a is not None

    def _wrap(self, owner: Any, name: str, what: str, only: object = None, *, directly: bool = False) -> None:
        original = getattr(owner, name)

        def asked(*args: Any, **kwargs: Any) -> Any:
            if only is None or (args and args[0] is only and not self._seeded):
                self._note(sys._getframe(1), what, directly=directly)
            return original(*args, **kwargs)

        setattr(owner, name, asked)

    def _note(self, frame: FrameType | None, what: str, *, directly: bool) -> None:
        is_own = True
        while frame is not None and len(self.trips) < MOST:
            module = str(frame.f_globals.get("__name__", ""))
            if module.startswith(_LOGGING) or (module.startswith(_AIRFLOW) and not _TIME_OF_AIRFLOW.match(module)):
                return
            file = frame.f_code.co_filename
            if file.startswith(self._folders) and not _is_of_others(file):
                self._add(what, file, frame.f_lineno, is_own=is_own)
                return
            if directly or file == _IMPORTING:
                return
            is_own = is_own and module != "tempfile" and not (_is_of_others(file) and module != "time_machine")
            frame = frame.f_back

    def _add(self, what: str, file: str, line: int, *, is_own: bool) -> None:
        task = self._task()
        if task and (what, file, line) not in self._known:
            self._known.add((what, file, line))
            code = linecache.getline(file, line).strip()
            self.trips.append(Trip(what, task, file, line, code, is_own, _now()))


def _is_of_others(file: str) -> bool:
    return any(part in file for part in _OWNED_BY_OTHERS)


def set_up(folders: Sequence[str], task: Callable[[], str]) -> list[Trip]:
    """Put a tripwire up for the code below `folders` (none where there are none); return the list that it fills."""
    if not folders:
        return []
    wire = Tripwire(folders, task)
    wire.stretch()
    return wire.trips
