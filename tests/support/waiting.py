"""Wait for what happens in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(claim: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Return whether a claim becomes true in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
