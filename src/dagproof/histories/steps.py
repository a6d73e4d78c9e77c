"""A step, and a history as a tuple of steps."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentTypeError
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from dagproof.histories.outages import ALWAYS, ONCE, OUTAGES


@dataclass(frozen=True)
class Kind:
    """A kind of step: what people read of it, and what is special about it."""

    text: str
    runs: bool = True
    """Whether the DAG under proof runs in it."""
    leaves_pieces: bool = False
    """Whether the world may be in pieces after it, so that it is not kept."""


#: Each kind of step; :class:`dagproof.runs.stage.Stage` lets it happen, in the method with its name.
KINDS = {
    "run": Kind("the first run of a date, as the scheduler makes it"),
    "rerun": Kind("the same run, cleared and run again a day later"),
    "clear": Kind("one task of the run, and all that comes after it, cleared and run again"),
    "retry": Kind(
        "the run, in which the worker is lost after each task has done its work, so that the task is tried again"
    ),
    "crash": Kind("the run, killed at a point; what is left is what a reader sees", leaves_pieces=True),
    "outage": Kind(
        "the run, which meets an error at a point, once or from then on each time; each task has a retry",
        leaves_pieces=True,
    ),
    "backfill": Kind("the run, made by a backfill some weeks later"),
    "overlap": Kind(
        "the run held at a point until another run (of the same or another date) has come past it", leaves_pieces=True
    ),
    "correct": Kind("the data of the date change upstream, by a correction that the configuration names", runs=False),
    "arrive": Kind("the DAGs that come first run for the date", runs=False),
    "late": Kind("the run, with the DAGs that come first running only some time later"),
}

#: How many histories are tried for a law, unless somebody says otherwise.
DEFAULT_MAX_HISTORIES = 8


@dataclass(frozen=True, order=True)
class Step:
    """One thing that happens to a DAG; :data:`KINDS` says what each kind does.

    `date` is the run's date as the user wrote it, or as the schedule gives it. Of the rest a step has what its kind
    needs: the `task` that is cleared or retried (all of them where a retry names none), or the DAG that arrives or
    from which on data are late, the `point` of a crash, overlap or outage (``message 7``, ``reply 7``, ``file 3``) or
    before which an arrival stops (``task load``), the `other` date of an overlap, the name of a `correction`, the wall
    clock `at` which a run starts, how many seconds the data are late (`delay`), the `error` of an outage, and whether
    that `lasts`: ``always``, or once where it is empty.
    """

    kind: str
    date: str
    task: str = ""
    point: str = ""
    other: str = ""
    correction: str = ""
    at: str = ""
    delay: int = 0
    error: str = ""
    lasts: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown step {self.kind!r}; valid steps: {', '.join(KINDS)}")
        if self.kind == "outage":
            self._check_outage()
        elif self.error or self.lasts:
            raise ValueError(f"a step {self.kind} has no error; only outage has one")

    def _check_outage(self) -> None:
        if self.error not in OUTAGES:
            raise ValueError(f"unknown error {self.error!r}; valid errors: {', '.join(OUTAGES)}")
        kind = self.point.partition(" ")[0]
        if kind not in OUTAGES[self.error].at:
            places = ", ".join(f"{kind} N" for kind in OUTAGES[self.error].at)
            raise ValueError(f"no run hits {self.error!r} at the point {self.point!r}; valid points: {places}")
        if self.lasts not in (ONCE, ALWAYS):
            raise ValueError(f"an error lasts {ALWAYS!r}, or has no 'lasts'; {self.lasts!r} is neither")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # the only hook Hypothesis honours
        printer.text(str(self))

    def __str__(self) -> str:
        return f"{self.kind}({', '.join([self.date, *([self.detail] if self.detail else [])])})"

    @property
    def runs(self) -> bool:
        """Whether the DAG under proof runs in it."""
        return KINDS[self.kind].runs

    @property
    def leaves_pieces(self) -> bool:
        """Whether the world may be in pieces after it."""
        return KINDS[self.kind].leaves_pieces

    @property
    def is_arrival(self) -> bool:
        """Whether just the data of a date arrive."""
        return self.kind == "arrive"

    @property
    def is_crash(self) -> bool:
        """Whether a run is killed."""
        return self.kind == "crash"

    @property
    def is_fault(self) -> bool:
        """Whether a run is killed, or meets an error, at a point."""
        return self.kind in ("crash", "outage")

    @property
    def needs_data(self) -> bool:
        """Whether the data of its date have to be there before."""
        return self.kind not in ("arrive", "late")

    @property
    def detail(self) -> str:
        """What the step is about, besides its date, for people."""
        if self.kind == "arrive" and self.task:
            return f"{self.task}, stopped before {self.point}" if self.point else self.task
        parts = [
            f"{self.task}," if self.kind == "late" and self.task else self.task,
            self.error,
            self.point and f"{'held ' if self.other else ''}at {self.point}{',' if self.other else ''}",
            self.other and f"overtaken by {self.other}",
            self.correction,
            self.at and f"on {self.at}",
            f"by {self.delay // 60} min" if self.delay else "",
            self.lasts and "and each time after that",
        ]
        return " ".join(part for part in parts if part)


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


def history_to_json(history: History) -> list[dict[str, Any]]:
    """Return the history as a list of ``{"step": …, "date": …}``, with the further fields that a step has."""
    return [
        {"step": step.kind, **{f.name: getattr(step, f.name) for f in fields(Step)[1:] if getattr(step, f.name)}}
        | {"date": step.date}
        for step in history
    ]


def history_from_json(data: Iterable[Mapping[str, Any]]) -> History:
    """Read what :func:`history_to_json` wrote.

    Raises:
        ValueError: a step has no date, an unknown name, or a field that steps do not have.
    """
    try:
        return tuple(_step_from_json(**item) for item in data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a step needs 'step' and 'date', and no unknown keys ({error})") from error


def _step_from_json(*, step: object, date: object, delay: int = 0, **fields: object) -> Step:
    return Step(str(step), str(date), delay=int(delay), **{name: str(value) for name, value in fields.items()})


def history_id(*parts: object) -> str:
    """Return six hexadecimal digits that name a history: the same parts, the same name, on any machine."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:6]


def positive(text: str) -> int:
    """Return the number that an option gives.

    Raises:
        ArgumentTypeError: it is no number, or less than 1.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return number


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 row`` or ``1,000 rows``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
