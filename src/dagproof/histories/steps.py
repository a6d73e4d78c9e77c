"""A step, and a history as a tuple of steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("run", "rerun")

#: How many histories are tried for a law, unless somebody says otherwise.
DEFAULT_MAX_HISTORIES = 6


@dataclass(frozen=True, order=True)
class Step:
    """One thing that happens to a DAG.

    `kind` is ``run`` (the first run of a date, as the scheduler makes it) or ``rerun`` (the same run, cleared and
    run again a day later). `date` is the run's date as the user wrote it, or as the schedule gives it.
    """

    kind: str
    date: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no step is called {self.kind!r}; there is {', '.join(KINDS)}")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # the only hook Hypothesis honours
        printer.text(str(self))

    def __str__(self) -> str:
        return f"{self.kind}({self.date})"


History = tuple[Step, ...]


def runs_and_reruns(dates: Iterable[str]) -> History:
    """Return the history in which a date's first appearance is a run, and each later one a rerun."""
    seen: set[str] = set()
    steps = []
    for date in dates:
        steps.append(Step("rerun" if date in seen else "run", date))
        seen.add(date)
    return tuple(steps)


def without_reruns(history: History) -> History:
    """Return `history` with its first runs only: what the same dates give when each runs once."""
    return tuple(step for step in history if step.kind == "run")


def history_to_json(history: History) -> list[dict[str, str]]:
    """Return the history as a list of ``{"step": …, "date": …}``."""
    return [{"step": step.kind, "date": step.date} for step in history]


def history_from_json(data: Iterable[Mapping[str, Any]]) -> History:
    """Read what :func:`history_to_json` wrote.

    Raises:
        ValueError: a step has no date, or an unknown name.
    """
    try:
        return tuple(Step(str(item["step"]), str(item["date"])) for item in data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a step needs 'step' and 'date' ({error})") from error


def history_id(*parts: object) -> str:
    """Return six hexadecimal digits that name a history: the same parts, the same name, on any machine."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:6]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 row`` or ``1,000 rows``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
