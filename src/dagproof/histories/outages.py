"""The errors that a run can meet: each with the kinds of points at which it does, and what it is made of.

A point is a ``connect``, a ``message`` to PostgreSQL or the ``reply`` to it, a ``file`` that is opened for writing,
renamed or removed, a ``read`` of one, or a ``poke`` of a sensor.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

ONCE, ALWAYS = "", "always"


@dataclass(frozen=True)
class Outage:
    """An error: at which kinds of points a run meets it, and its SQLSTATE and text, or its number."""

    at: tuple[str, ...]
    sqlstate: str = ""
    text: str = ""
    number: int = 0
    ends_session: bool = False
    """Whether the server closes the connection with it."""


#: Each error that a step may name. The first one for a kind of point is the usual one there.
OUTAGES = {
    "connection refused": Outage(("connect",), number=errno.ECONNREFUSED),
    "too many connections": Outage(("connect",), "53300", "sorry, too many clients already"),
    "deadlock": Outage(("message",), "40P01", "deadlock detected"),
    "connection lost": Outage(("message", "reply"), ends_session=True),
    "serialization failure": Outage(("message",), "40001", "could not serialize access due to concurrent update"),
    "statement cancelled": Outage(("message",), "57014", "canceling statement due to user request"),
    "shutting down": Outage(
        ("message",), "57P01", "terminating connection due to administrator command", ends_session=True
    ),
    "disk full": Outage(
        ("message", "file"), "53100", "could not extend file: No space left on device", number=errno.ENOSPC
    ),
    "read-only transaction": Outage(("message",), "25006", "cannot execute this statement in a read-only transaction"),
    "file gone": Outage(("read",), number=errno.ENOENT),
    "permission denied": Outage(("file", "read"), number=errno.EACCES),
    "input/output error": Outage(("file", "read"), number=errno.EIO),
    "short read": Outage(("read",)),
    "connection reset": Outage(("poke",), number=errno.ECONNRESET),
}


def errors_at(kind: str) -> Sequence[str]:
    """Return the errors that a run can meet at a point of this kind; the usual one comes first."""
    return [name for name, outage in OUTAGES.items() if kind in outage.at]
