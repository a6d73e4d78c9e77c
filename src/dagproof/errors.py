"""What dagproof raises when it cannot tell: each message is one sentence, what happened and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: How many valid names are listed where none is near.
MOST_NAMED = 12


class DagproofError(Exception):
    """It could not be told (exit status 2): usage, configuration, a DAG that does not load, no database."""


class ConfigError(DagproofError):
    """The configuration is wrong: an unknown key, a value of the wrong type, a selector that matches nothing."""


class UsageError(DagproofError):
    """The command or fixture was asked for something that does not exist."""


class WorkerError(DagproofError):
    """The worker process could not load the DAGs, or died."""


class CrashError(Exception):
    """Another process of ours met an error that nobody foresaw (exit status 3): what it was, and its traceback."""

    def __init__(self, what: str, trace: str) -> None:
        super().__init__(what, trace)  # both, so that it can be sent to another process
        self.what = what
        self.trace = trace


def close_to(name: str, valid: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the valid name closest to `name`; nothing where none is close."""
    close = difflib.get_close_matches(name, sorted(valid), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the valid name closest to `name`, or the list of the valid ones."""
    names = sorted(valid)
    close = close_to(name, names)
    if close or not names:
        return close
    shown = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    return f" (choose from: {shown})"
