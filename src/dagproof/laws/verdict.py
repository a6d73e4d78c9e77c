"""What the proof of a law leaves: a verdict."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from dagproof.histories import History, history_to_json
from dagproof.inside.exchange import LeftOut
from dagproof.runs.scope import Compared
from dagproof.stores.diff import Diff

PROVEN, FALSIFIED, NOT_APPLICABLE, ERROR = "proven", "falsified", "not-applicable", "error"
#: What the name of each world's folder has of its own.
_WORLD = re.compile(r"\bdagproof-[0-9a-f]{16}\b")


@dataclass(frozen=True)
class FaultOutcome:
    """What became of one run that was killed at a point.

    The point lies at a message to the database (`place` ``wire``) or at a file operation (``file``), the one numbered
    `index`, and `when` says whether it was killed ``before`` or ``after`` that. `survived` is what was there right
    then: the ``old`` rows, the ``new`` ones, a part of them (``partial``), or the old ones and something that nobody
    reads (``scratch``).
    """

    place: str
    index: int
    when: str
    what: str
    """The message or operation, for people: ``COMMIT``, ``COPY users_daily``, ``rename users.csv``."""
    task: str
    survived: str
    healed: bool
    """Whether running the date again led to the rows that one run leaves."""
    note: str = ""
    error: str = ""
    """The error that the run met there, where it was not killed; `when` is ``error`` then."""


@dataclass(frozen=True)
class Verdict:
    """What became of one law. `outcome` is ``proven``, ``falsified``, ``not-applicable`` or ``error``."""

    law: str
    outcome: str
    verdict: str | None = None
    histories: int = 0
    seconds: float = 0.0
    history: History | None = None
    diff: Diff | None = None
    reason: str | None = None
    ignored: tuple[str, ...] = ()
    """All columns and files that were not compared."""
    noise: tuple[str, ...] = ()
    """Those of them that no configuration names: two fresh runs differ there already."""
    left: tuple[str, ...] = ()
    """For a falsified law: how much there is of what differs, after each step of the history."""
    shrunk_from: int = 0
    """The number of steps of the history that was found first."""
    written_by: str | None = None
    """The task that wrote the differing rows, with its source line where it is known."""
    replay: str | None = None
    """The id that ``dagproof replay`` takes."""
    accusation: str = ""
    """What is said of the DAG, where that is not what the law says by default."""
    headline: str = ""
    """What happened, where that is not what the law says by default."""
    sides: tuple[str, str] | None = None
    """What the two sides of the diff are, where that is not what the law says by default."""
    hint: str = ""
    """What the configuration may say of the difference, where that is often meant: said first."""
    same_as: str | None = None
    """The law that is falsified by the same difference, where one before it is: its text says all."""
    where: str = ""
    """What happens at the point at which the history was killed or held: ``message 7 is COMMIT, in task load``."""
    asked: tuple[str, ...] = ()
    """Who asked for the time, something random or the machine's name: ``the time, at etl/users.py:88: …``."""
    machines: str = ""
    """In what the machines differ that were compared, where nobody was seen to ask for what makes runs differ."""
    taken: tuple[str, ...] = ()
    """Which handlers took the error that the run met: ``etl/users.py:88: except Exception: (OperationalError: …)``."""
    log_tail: str = field(default="", repr=False)
    faults: tuple[FaultOutcome, ...] = ()
    """One for each point at which a run was killed, in the order in which a run comes past them."""
    faults_left_out: str | None = None
    """Which points were not tried, as a sentence; None when all of them were."""
    raised: str | None = None
    """The line of the user's own code at which the task failed, for a run that did."""
    compared: Compared = field(default_factory=Compared)
    """The tables and files that were compared."""
    left_out: tuple[LeftOut, ...] = ()
    """What was not compared or not tried, and the tasks that never ran."""

    @property
    def cause(self) -> str:
        """The reason without the name of a world's folder: where this is the same, the reason is."""
        return _WORLD.sub("", self.reason or "")

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as in the JSON that ``dagproof prove`` prints."""
        return {
            "law": self.law,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "histories": self.histories,
            "seconds": round(self.seconds, 3),
            "history": history_to_json(self.history) if self.history else None,
            "diff": self.diff.to_json() if self.diff else None,
            "reason": self.reason,
            "ignored": list(self.ignored),
            "headline": self.headline or None,
            "hint": self.hint or None,
            "same_as": self.same_as,
            "written_by": self.written_by,
            "where": self.where or None,
            "asked": list(self.asked),
            "machines": self.machines or None,
            "taken": list(self.taken),
            "replay": self.replay,
            "faults": [asdict(fault) for fault in self.faults],
            "faults_left_out": self.faults_left_out,
            "raised": self.raised,
            "compared": self.compared.to_json(),
            "left_out": [entry.to_json() for entry in self.left_out],
        }
