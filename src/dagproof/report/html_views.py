"""What the HTML report shows of a verdict: its timeline, its differing rows, its fault map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from dagproof.histories import Step
from dagproof.histories.steps import count
from dagproof.laws import Law, Verdict, all_laws, law_named
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN, FaultOutcome
from dagproof.proof.verdicts import Proof
from dagproof.report.html_values import shown, shown_pair
from dagproof.stores.diff import Example, TableDiff

#: Symbol and name of each outcome; the name with dashes is its class in the style sheet.
OUTCOMES = {
    PROVEN: ("✓", "proven"),
    FALSIFIED: ("✗", "falsified"),
    NOT_APPLICABLE: ("–", "not applicable"),
    ERROR: ("!", "error"),
}
#: Symbol of each kind of change.
CHANGES = {"duplicated": "×", "changed": "≠", "added": "+", "missing": "−"}
#: What a cut can leave: its symbol, in two words, and in a sentence.
SURVIVED = {
    "old": ("○", "old rows", "the old rows"),
    "new": ("●", "new rows", "the new rows"),
    "partial": ("◐", "a part", "a part of them"),
    "scratch": ("◌", "old rows, scratch", "the old rows and something that nobody reads"),
    "lost": ("✗", "green without its rows", "other rows after a green run"),
}
PLACES = {
    "wire": ("message", "messages"),
    "file": ("file operation", "file operations"),
    "connect": ("connection", "connections"),
    "read": ("file that is read", "files that are read"),
    "poke": ("poke", "pokes of sensors and triggers"),
}
#: What can happen at a point: how an outcome calls it, and what stands above its column. A message and the reply to it
#: are two points, in one line.
CRASHES = {
    "wire": (("before", "crash at the message"), ("after", "crash at the reply")),
    "file": (("before", "crash before it"), ("after", "crash after it")),
}
ERRORS = (("error", "error"),)


@dataclass(frozen=True)
class StepView:
    """A step of the timeline; `share` is how full its bar is, in per cent, None where `left` holds no number."""

    step: Step
    detail: str
    left: str
    share: float | None
    wrong: bool


@dataclass(frozen=True)
class RowView:
    """A differing row: its key, and a line for each of its columns that changed."""

    change: str
    key: tuple[Markup, ...]
    times: int
    columns: tuple[tuple[str, Markup, Markup], ...]


@dataclass(frozen=True)
class TableView:
    """A table that differs: what is told of it, the columns of its key, and its rows."""

    table: TableDiff
    counts: str
    kinds: str
    key: tuple[str, ...]
    rows: tuple[RowView, ...]

    @property
    def has_columns(self) -> bool:
        """Whether a row changed in some columns, and is there on both sides."""
        return any(row.columns for row in self.rows)

    @property
    def has_times(self) -> bool:
        """Whether a row is there more than once."""
        return any(row.change == "duplicated" for row in self.rows)


@dataclass
class Point:
    """A message or file operation, and what became of the runs that were cut off there."""

    index: int
    what: str
    skipped: int
    """The number of points in front of it that were not tried."""
    outcomes: dict[str, list[FaultOutcome]] = field(default_factory=lambda: {"before": [], "after": [], "error": []})


def laws_of(proofs: Sequence[Proof]) -> list[Law]:
    """Return all laws about which there is a verdict, in their order."""
    names = {verdict.law for proof in proofs for verdict in proof.verdicts}
    return sorted((law_named(name) for name in names), key=lambda law: law.order)


def not_tried(proof: Proof) -> list[str]:
    """Return the names of the laws about which the proof says nothing."""
    tried = {verdict.law for verdict in proof.verdicts}
    return [law.name for law in all_laws() if law.name not in tried]


def same_error(proof: Proof, verdict: Verdict) -> Verdict | None:
    """Return the first verdict with the same error, if that is not `verdict` itself: it is told in full there."""
    first = next(v for v in proof.verdicts if (v.outcome, v.cause) == (verdict.outcome, verdict.cause))
    return None if first is verdict else first


def counted(proofs: Sequence[Proof]) -> list[tuple[int, str]]:
    """Return how many verdicts there are of each outcome."""
    outcomes = [verdict.outcome for proof in proofs for verdict in proof.verdicts]
    return [(outcomes.count(outcome), outcome) for outcome in OUTCOMES if outcome in outcomes]


def timeline(verdict: Verdict) -> list[StepView]:
    """Return the steps of the minimal history; the last one is where the rows stop being right."""
    history = verdict.history or ()
    numbers = [_number(left) for left in verdict.left]
    most = max((number for number in numbers if number is not None), default=0)
    steps = []
    for n, step in enumerate(history):
        number = numbers[n] if n < len(numbers) else None
        share = round(100 * number / most, 1) if most and number is not None else None
        told = str(step)[len(step.kind) + 1 : -1].removeprefix(step.date).removeprefix(", ")
        left = verdict.left[n] if n < len(verdict.left) else ""
        steps.append(StepView(step, told, left, share, n == len(history) - 1))
    return steps


def tables(verdict: Verdict, law: Law) -> list[TableView]:
    """Return the tables that differ."""
    return [_table(table, verdict.sides or law.sides) for table in verdict.diff.tables] if verdict.diff else []


def kinds_of(verdict: Verdict) -> list[str]:
    """Return the kinds of change that occur, of rows and of files."""
    if not verdict.diff:
        return []
    found = {e.change for t in verdict.diff.tables for e in t.examples} | {f.change for f in verdict.diff.files}
    found |= {part.kind for part in verdict.diff.structure}
    return [kind for kind in CHANGES if kind in found]


def fault_maps(verdict: Verdict) -> Iterator[tuple[str, str, list[Point]]]:
    """Yield task, place and the points of each sequence of messages or file operations that was cut."""
    sequences = dict.fromkeys((fault.task, fault.place) for fault in verdict.faults)
    for task, place in sequences:
        points: dict[tuple[int, str], Point] = {}
        last: int | None = None
        for fault in sorted(verdict.faults, key=lambda fault: fault.index):
            if (fault.task, fault.place) != (task, place):
                continue
            skipped = fault.index - last - 1 if last is not None and fault.index > last else 0
            point = points.setdefault((fault.index, fault.what), Point(fault.index, fault.what, skipped))
            point.outcomes.setdefault(fault.when, []).append(fault)
            last = fault.index
        yield task, place, list(points.values())


def ways_of(verdict: Verdict, place: str) -> tuple[tuple[str, str], ...]:
    """Return what was tried at the points of `place`: crashes, or an error."""
    faults = [fault for fault in verdict.faults if fault.place == place]
    if any(fault.error for fault in faults):
        return ERRORS
    tried = {fault.when for fault in faults}
    return tuple(way for way in CRASHES[place] if way[0] in tried)


def is_bad(fault: FaultOutcome) -> bool:
    """Tell whether a reader saw a part, or the rerun did not lead to the same rows."""
    return fault.survived in ("partial", "lost") or not fault.healed


def faults_told(verdict: Verdict) -> str:
    """Return in one sentence what the fault map shows."""
    survived = [fault.survived for fault in verdict.faults]
    parts = [f"{survived.count(kind)} left {SURVIVED[kind][2]}" for kind in SURVIVED if kind in survived]
    ill = sum(not fault.healed and fault.survived != "lost" for fault in verdict.faults)
    rerun = f"after {ill} of them the rerun did not heal it" if ill else "a rerun led to the same rows each time"
    return f"{count(len(survived), 'point')} tried: {', '.join(parts)}; {rerun}."


def _number(left: str) -> int | None:
    found = re.match(r"[\d,]+", left)
    return int(found[0].replace(",", "") or 0) if found else None


def _table(table: TableDiff, sides: tuple[str, str]) -> TableView:
    before, after = (count(n, "row") if n is not None else "no table" for n in (table.rows_before, table.rows_after))
    order = list(CHANGES)
    examples = sorted(table.examples, key=lambda example: order.index(example.change))
    key = tuple(dict.fromkeys(column for example in examples for column in example.key))
    kinds = [f"{getattr(table, kind):,} {kind}" for kind in CHANGES if getattr(table, kind)]
    rows = tuple(_row(example, key) for example in examples)
    return TableView(table, f"{sides[0]}: {before}, {sides[1]}: {after}", ", ".join(kinds), key, rows)


def _row(example: Example, key: Sequence[str]) -> RowView:
    columns = []
    if example.change == "changed":
        columns = [(str(example.column), *shown_pair(example.before, example.after))]
        columns += [(c.column, *shown_pair(c.before, c.after)) for c in example.also]
    cells = tuple(shown(example.key[column]) if column in example.key else Markup() for column in key)
    return RowView(example.change, cells, example.times, tuple(columns))
