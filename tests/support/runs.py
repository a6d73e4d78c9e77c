"""What a run that was watched says of itself."""

from __future__ import annotations

from typing import Any


def retried(seen: dict[str, Any]) -> set[str]:
    """Return the tasks that were tried again."""
    return {task for states in seen["states_while_waiting"] for task, s in states.items() if s == "up_for_retry"}
