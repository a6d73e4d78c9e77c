"""What a law is, and what its proof leaves: a verdict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from dagproof.histories import History, history_to_json
from dagproof.worlds.diff import Diff, diff, has_effect

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from dagproof.lab import Lab

PROVEN, FALSIFIED, NOT_APPLICABLE, ERROR = "proven", "falsified", "not-applicable", "error"


@dataclass(frozen=True)
class Finding:
    """What one history showed: a diff (falsy where the law holds), and the columns that were not compared."""

    diff: Diff
    not_compared: frozenset[str] = frozenset()
    broken: bool | None = None
    """Whether the law is broken; by default when there is a diff."""

    def __bool__(self) -> bool:
        return bool(self.diff) if self.broken is None else self.broken


class NotApplicableError(Exception):
    """The law says nothing about this DAG; the message is the reason."""


class Law(ABC):
    """A relation between runs. A law is one file in this package: a subclass with these attributes and methods.

    A law judges rows, never verbs, and never reads source code.
    """

    name: ClassVar[str]
    """What ``--law`` and the verdict call it."""
    order: ClassVar[int]
    """Its place among the laws; determinism comes before all that compare two histories."""
    relation: ClassVar[str]
    """The relation, in S(history) notation."""
    verdict: ClassVar[str]
    """One word for a DAG that breaks it."""
    accusation: ClassVar[str]
    """What is said of such a DAG: ``<dag_id> <accusation>``."""
    headline: ClassVar[str]
    """What happened, above the diff."""
    sides: ClassVar[tuple[str, str]]
    """What the two sides of the diff are called."""
    promise: ClassVar[str]
    """What a proof says, for the summary."""

    needs_elsewhere: ClassVar[bool] = False
    """Whether it compares with a second machine."""

    @abstractmethod
    def examples(self, dates: Sequence[str]) -> list[History]:
        """Return the histories that are always tried, the shortest first."""

    def draws(self, dates: Sequence[str]) -> SearchStrategy[History] | None:
        """Return how further histories are drawn; None where the examples are all there is."""
        return None

    @abstractmethod
    def check(self, lab: Lab, history: History) -> Finding:
        """Let `history` happen and compare.

        Raises:
            NotApplicableError: the law says nothing about this DAG.
            DagproofError: a run failed.
        """


def require_effect(lab: Lab, history: History) -> None:
    """Refuse to compare runs that write nothing: they agree, whatever the DAG does.

    Raises:
        NotApplicableError: the first run of `history` writes no row and no file.
    """
    if not has_effect(diff(lab.before(history), lab.state(history[:1]))):
        raise NotApplicableError(f"the run for {history[0].date} writes nothing, so that there is nothing to compare")


@dataclass(frozen=True)
class FaultOutcome:
    """What became of one run that was cut off at a point.

    The point lies at a message to the database (`place` ``wire``) or at a file operation (``file``), the one numbered
    `index`, and `when` says whether it was cut off ``before`` or ``after`` that. `survived` is what was there right
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
    headline: str = ""
    """What happened, where that is not what the law says by default."""
    sides: tuple[str, str] | None = None
    """What the two sides of the diff are, where that is not what the law says by default."""
    asked: tuple[str, ...] = ()
    """Who asked for the time, something random or the machine's name: ``the time, at etl/users.py:88: …``."""
    log_tail: str = field(default="", repr=False)
    faults: tuple[FaultOutcome, ...] = ()
    """One for each point at which a run was cut off, in the order in which a run comes past them."""
    faults_left_out: str | None = None
    """Which points were not tried, as a sentence; None when all of them were."""

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
            "written_by": self.written_by,
            "asked": list(self.asked),
            "replay": self.replay,
            "faults": [asdict(fault) for fault in self.faults],
            "faults_left_out": self.faults_left_out,
        }
