"""What a law is, and how it compares what histories leave."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut
from dagproof.inside.machine import HERE, Machine
from dagproof.laws.verdict import FaultOutcome
from dagproof.runs.happened import at_the_times_of, failing_part, skipping, take_the_same_course
from dagproof.runs.scope import unseen
from dagproof.stores.diff import Diff, diff, has_effect
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds.failing import RunFailedError, sentence

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from dagproof.runs.lab import Lab

#: Files that no reader takes for data: hidden ones, such as are called temporary, and those in folders that are.
TEMPORARY = re.compile(
    r"(^|/)(\.[^/]*|[^/]*\.(part|partial|tmp|temp|inprogress|crdownload)|[^/]+~|_temporary|tmp[a-z0-9_]{6,10})(/|$)"
)
#: At home, the first hidden folder is where a program keeps what is its own, not what is temporary.
_OF_A_PROGRAM = re.compile(r"^~/\.(?=[^/]+/)")
#: What is said of a table in which fresh runs differ in whole rows.
COUNTED = "compared by the number of rows only, as fresh runs differ there"


@dataclass(frozen=True)
class Finding:
    """What one history showed: a diff (falsy where the law holds), and the columns that were not compared."""

    diff: Diff = field(default_factory=Diff)
    not_compared: frozenset[str] = frozenset()
    broken: bool | None = None
    """Whether the law is broken; by default when there is a diff."""
    verdict: str = ""
    """The law's word for how it is broken, where it has more than one."""
    accusation: str = ""
    """What is said of the DAG then."""
    headline: str = ""
    """What happened, where that is not what the law says by default."""
    sides: tuple[str, str] | None = None
    """What the two sides of the diff are, where that is not what the law says by default."""
    history: History | None = None
    """The part of the history that shows it, where that is not all of it."""
    faults: tuple[FaultOutcome, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    """What this history does not try of the DAG."""
    raised: str = ""
    """``file.py:line`` at which the task failed that ends the history, where one does and that is known."""

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

    machines: ClassVar[tuple[Machine, ...]] = (HERE,)
    """The machines on which the runs happen that it compares, or lets happen at the same time."""
    effort: ClassVar[int] = 1
    """How long it takes beside others, roughly: where processes share the laws, the longest are proven first."""
    judges_reference: ClassVar[bool] = False
    """Whether a DAG fails it where the runs that it compares with fail together, and not each alone."""
    finds_handlers: ClassVar[bool] = False
    """Whether what violates it is code that takes an error."""
    asks_who: ClassVar[bool] = False
    """Whether what breaks it is a value that somebody asked for: the time, something random, the machine's name."""

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Return the histories that are always tried, the shortest first."""
        return []

    def histories(self, lab: Lab) -> Iterable[History]:
        """Return the histories that are always tried about the DAG of `lab`, the shortest first.

        Raises:
            NotApplicableError: there is none, or no run of the dates writes anything.
        """
        return self.examples(active(lab))

    def simpler(self, lab: Lab, history: History) -> Iterable[History]:
        """Return histories that are simpler than one that breaks the law, and may do so too; the simplest first."""
        return ()

    def draws(self, lab: Lab) -> SearchStrategy[History] | None:
        """Return how further histories are drawn; None where the examples are all there is."""
        return None

    @abstractmethod
    def check(self, lab: Lab, history: History) -> Finding:
        """Let `history` happen and compare.

        Raises:
            NotApplicableError: the law says nothing about this DAG.
            DagproofError: a run failed.
        """

    def compared(self, lab: Lab, expected: History, history: History) -> Finding:
        """Compare what `history` leaves with what `expected` leaves, except for what two fresh runs disagree about.

        Where fresh runs differ in whole rows, another number of rows still violates the law; the same number shows
        nothing. A run of `history` that fails violates the law.

        Raises:
            NotApplicableError: two fresh runs differ in whole rows, so that no comparison shows anything, or a run of
                `expected` fails, although it succeeds in a fresh world.
            DagproofError: the first run of a date failed.
        """
        noise = self._noise(lab, _dates(expected))
        try:
            before = self.seen(lab, lab.state(expected))
        except RunFailedError as failure:
            return self.without_reference(lab, expected, failure)
        try:
            after = self.seen(lab, lab.state(history))
        except RunFailedError as failure:
            return Finding(
                not_compared=noise or frozenset(), broken=True, headline=sentence(failure), raised=failure.raised
            )
        if noise is None:
            return Finding(self._counted(lab, expected, before, after))
        same = take_the_same_course(expected, history)
        before, after = lab.as_history(before.without(noise), after.without(noise), all_versions=same)
        found = lab.diff(before, after)
        headline = self.headline + skipping(lab, expected, history) if found else ""
        return Finding(found, not_compared=noise, headline=headline if headline != self.headline else "")

    def compared_in_time(self, lab: Lab, expected: History, history: History, *, at_last: bool = False) -> Finding:
        """Compare like :meth:`compared`, without blaming the law for what just the time of the runs makes differ.

        A rerun takes place a day later, and so all that follows. Where runs at the very times of `history` leave what
        it leaves, that is the law `clock`'s to judge. A date that ran several times counts as of its first run; with
        `at_last`, as of its last one.
        """
        finding = self.compared(lab, expected, history)
        if not finding.diff:
            return finding
        in_time = at_the_times_of(lab, expected, history, at_last=at_last)
        if in_time == expected:
            return finding
        try:
            again = self.compared(lab, in_time, history)
        except (RunFailedError, NotApplicableError):  # so late, a date cannot run at all
            return finding
        return finding if again else again

    def without_reference(self, lab: Lab, expected: History, failure: RunFailedError) -> Finding:
        """Return what it means that a run of `expected` fails, so that there is nothing to compare with.

        Raises:
            NotApplicableError: it succeeds in a fresh world, and another law judges that.
            RunFailedError: it fails there, too.
        """
        for date in _dates(expected):
            lab.state((Step("run", date),))
        if self.judges_reference:
            return Finding(
                broken=True, history=failing_part(lab, expected), headline=sentence(failure), raised=failure.raised
            )
        raise NotApplicableError(f"there is nothing to compare with: {failure}")

    def _counted(self, lab: Lab, expected: History, before: Snapshot, after: Snapshot) -> Diff:
        """Return how the numbers of rows differ.

        Raises:
            NotApplicableError: they do not, or fresh runs do not agree about them either.
        """
        rough = lab.unstable(_dates(expected))
        found = rough.compared(before, after) if rough else Diff()
        if not found or rough is None:
            self.noise(lab, expected)
            return found
        lab.scope.compared.add(before, after)
        for table in sorted(rough.tables):
            lab.scope.leave_out(table, COUNTED)
        return found

    def noise(self, lab: Lab, history: History) -> frozenset[str]:
        """Return the columns in which two fresh runs of a date of `history` differ.

        Raises:
            NotApplicableError: they differ in whole rows.
        """
        dates = _dates(history)
        noise = self._noise(lab, dates)
        if noise is None:
            raise NotApplicableError(
                f"two fresh runs of {', '.join(dates)} differ in whole rows, so a comparison shows nothing"
            )
        return noise

    def _noise(self, lab: Lab, dates: Sequence[str]) -> frozenset[str] | None:
        """Return the columns in which two fresh runs differ, on each machine; None for whole rows.

        Raises:
            NotApplicableError: one fresh run of a date succeeds, and another one fails.
        """
        for date in dates:
            lab.state((Step("run", date),))
        try:
            return lab.noise(dates, machines=self.machines)
        except RunFailedError as failure:
            raise NotApplicableError(f"fresh runs do not all succeed: {failure}") from None

    def seen(self, lab: Lab, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot without what nobody reads (`scratch`), and what is exempt from this law."""
        return snapshot.without_whole((*lab.proof.scratch, *lab.proof.exempt.get(self.name, ())))


def is_temporary(path: str) -> bool:
    """Tell whether no reader takes the file for data."""
    return bool(TEMPORARY.search(_OF_A_PROGRAM.sub("~/", path)))


def tidied(finding: Finding, crashed: Iterable[Snapshot]) -> Finding:
    """Return the finding without the temporary files that crashes have left; `crashed` is what was there after each.

    They go by their number: their names may be others each time.
    """
    most = sum(is_temporary(path) for snapshot in crashed for path in snapshot.files)
    litter = {f.path for f in finding.diff.files if f.change == "added" and is_temporary(f.path)}
    if not litter or len(litter) > most:
        return finding
    left = replace(finding.diff, files=tuple(f for f in finding.diff.files if f.path not in litter))
    return replace(finding, diff=left, not_compared=finding.not_compared | litter)


def _dates(history: History) -> list[str]:
    return sorted({step.date for step in history})


def writes(lab: Lab, date: str) -> bool:
    """Tell whether a run of the date in a fresh world leaves any row or file that was not there before.

    Raises:
        DagproofError: the run failed.
    """
    run = (Step("run", date),)
    return has_effect(diff(lab.before(run), lab.state(run)), lab.state(run))


def active(lab: Lab) -> Sequence[str]:
    """Return the dates of the proof, from the first on whose run writes anything: others agree, whatever happens.

    Raises:
        NotApplicableError: no run does.
        DagproofError: a run failed.
    """
    dates = lab.dates
    for number, date in enumerate(dates):
        if writes(lab, date):
            return dates[number:]
    runs = f"the run for {dates[0]} writes" if len(dates) == 1 else f"the runs for {', '.join(dates)} write"
    if beside := unseen(lab, [(Step("run", date),) for date in dates]):
        raise NotApplicableError(f"{runs} nothing that is compared: {beside}")
    raise NotApplicableError(f"{runs} nothing, so there is nothing to compare")
