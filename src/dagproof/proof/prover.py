"""The prover: puts a DAG to its laws and returns a verdict for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from dagproof.config import Config
from dagproof.errors import ConfigError, DagproofError
from dagproof.histories import History, Step
from dagproof.histories.steps import DEFAULT_MAX_HISTORIES, count
from dagproof.inside.machine import ELSEWHERE, HERE, Machine, differences
from dagproof.laws import Finding, Law, NotApplicableError, Verdict, all_laws, check_law_names, law_named
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN
from dagproof.postgres.server import PostgresServer
from dagproof.proof.budget import Budget
from dagproof.proof.evidence import Evidence
from dagproof.proof.hints import audit_hint
from dagproof.proof.omissions import configured, left_out, nothing_left
from dagproof.proof.saved import load_saved, save, saved_before
from dagproof.proof.verdicts import Proof, proof_of
from dagproof.runs.driver import open_driver
from dagproof.runs.lab import Lab
from dagproof.runs.scope import NOT_TRIED
from dagproof.stores.diff import Diff
from dagproof.stores.structurediff import occurrences
from dagproof.worlds.failing import RunFailedError


class Prover:
    """Proves laws about one DAG whose lab stands ready."""

    def __init__(self, lab: Lab, *, seed: int, max_histories: int, budget: Budget | None = None) -> None:
        self.lab = lab
        self.budget = budget
        self._share = budget
        """What the law that is being proven may spend."""
        self._has_begun = False
        self.evidence = Evidence(lab)
        self.seed = seed
        self.max_histories = max_histories

    def prove(self, law: Law, *, laws_left: int = 1) -> Verdict:
        """Try to break `law`; the examples first, then drawn histories, and shrink what breaks it.

        So many `laws_left`, this one among them, still have to share a budget, where there is one.
        """
        self._share = self.budget and self.budget.share(laws_left)
        return self._judged(law, lambda: self._search(law))

    def replay(self, law: Law, history: History) -> Verdict:
        """Try just `history`."""

        def once() -> Verdict:
            finding = law.check(self.lab, history)
            tried = {history: finding}
            return self._falsified(law, history, len(history), tried) if finding else self._proven(law, tried)

        return self._judged(law, once)

    def concluded(self, verdicts: Sequence[Verdict], started: float) -> Proof:
        """Return the verdicts as a proof that began at ``time.perf_counter()`` = `started`."""
        return proof_of(self.lab.config, self.lab.dag_id, self.lab.dates, verdicts, seed=self.seed, started=started)

    def _judged(self, law: Law, attempt: Callable[[], Verdict]) -> Verdict:
        """Turn whatever ends the attempt into a verdict: never silence."""
        started = time.perf_counter()
        self.lab.begin()
        try:
            if reason := self.lab.proof.skip.get(law.name):
                raise NotApplicableError(f"left out by the configuration: {reason}")
            verdict = attempt()
            if verdict.outcome == PROVEN and not self._is_spent:
                self._run_in_turn()
        except NotApplicableError as why:
            verdict = Verdict(law.name, NOT_APPLICABLE, reason=str(why))
        except RunFailedError as error:
            raised = self.evidence.located_line(error.raised)
            verdict = Verdict(law.name, ERROR, reason=str(error), raised=raised, log_tail=error.log_tail)
        except ConfigError:
            raise
        except DagproofError as error:
            verdict = Verdict(law.name, ERROR, reason=str(error))
        if verdict.outcome in (NOT_APPLICABLE, ERROR):
            verdict = replace(verdict, left_out=tuple(sorted((*configured(self.lab, law), *self.lab.taken_out()))))
        ignored = tuple(sorted({*verdict.noise, *self.lab.ignore, *self.lab.proof.exempt.get(law.name, ())}))
        return replace(verdict, seconds=time.perf_counter() - started, ignored=ignored)

    def _run_in_turn(self) -> None:
        """Run the dates one after the other: nothing is proven over a date that cannot run, also not of the others.

        Raises:
            RunFailedError: one of the runs fails there, and in a fresh world, too.
        """
        try:
            self.lab.state(tuple(Step("run", date) for date in self.lab.dates))
        except RunFailedError:
            for date in self.lab.dates:
                self.lab.state((Step("run", date),))

    @property
    def _is_spent(self) -> bool:
        return self._share is not None and self._share.is_spent

    def _search(self, law: Law) -> Verdict:
        tried: dict[History, Finding] = {}
        if self._share is not None and self._is_spent and self._has_begun:  # one law tries one history in any case
            raise NotApplicableError(f"not tried, as nothing is left of {self._share.setting}")
        self._has_begun = True

        def check(history: History) -> Finding:
            if history not in tried:
                tried[history] = law.check(self.lab, history)
            return tried[history]

        broken: list[History] = []
        saved = [history for history in saved_before(self.lab, law) if _can_be_tried(history, check)]
        examples = [*saved, *law.histories(self.lab)]
        for number, history in enumerate(examples):
            if self._share is not None and self._is_spent and tried:
                what = count(len(examples) - number, "example")
                self.lab.scope.leave_out(what, NOT_TRIED, self._share.setting)
                break
            if check(history):
                broken.append(history)
                if law.verdict == (tried[history].verdict or law.verdict):
                    break  # what is found is as bad as it gets
        if broken:
            worst = min(broken, key=lambda history: (bool(tried[history].verdict), broken.index(history)))
            return self._falsified(law, self._simplest(law, worst, check), len(worst), tried)
        if len(tried) >= self.max_histories and type(law).draws is not Law.draws:
            self.lab.scope.leave_out("random histories", NOT_TRIED, f"--max-histories {self.max_histories}")
        drawn = self._draw(law, check, self.max_histories - len(tried))
        if self._share is not None and self._is_spent and type(law).draws is not Law.draws:
            self.lab.scope.leave_out("further random histories", NOT_TRIED, self._share.setting)
        if drawn is not None:
            history, first = drawn
            return self._falsified(law, self._simplest(law, history, check), len(first), tried)
        return self._proven(law, tried)

    def _simplest(self, law: Law, history: History, check: Callable[[History], Finding]) -> History:
        """Return what is left of a history that breaks the law when everything is taken away that need not be there."""

        def violates(simpler: History) -> bool:
            try:
                return not self._is_spent and bool(check(simpler))
            except (DagproofError, NotApplicableError):  # it shows nothing, and what is found stands
                return False

        while (simpler := next((h for h in law.simpler(self.lab, history) if violates(h)), None)) is not None:
            history = simpler
        return history

    def _draw(self, law: Law, check: Callable[[History], Finding], budget: int) -> tuple[History, History] | None:
        """Draw up to `budget` histories; return the shortest that breaks the law, and the one found first."""
        strategy = law.draws(self.lab) if budget > 0 else None
        if strategy is None:
            return None
        broken: list[History] = []
        stopped: list[Exception] = []

        class BrokenLaw(Exception):  # noqa: N818 - how Hypothesis is told, not an error
            pass

        @seed(self.seed)
        @settings(
            max_examples=budget,
            database=None,
            report_multiple_bugs=False,
            deadline=None,
            verbosity=Verbosity.quiet,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def attempt(history: History) -> None:
            try:
                failed = not stopped and not self._is_spent and bool(check(history))
            except (DagproofError, NotApplicableError) as reason:  # nothing to shrink: it ends the search
                stopped.append(reason)
                return
            if failed:
                broken.append(history)
                raise BrokenLaw

        try:
            attempt()
        except BrokenLaw:
            return min(broken, key=lambda history: (len(history), history)), broken[0]
        if stopped:
            raise stopped[0]
        return None

    def _proven(self, law: Law, tried: Mapping[History, Finding]) -> Verdict:
        findings = list(tried.values())
        if not findings:
            raise NotApplicableError("there is nothing to try")
        if reason := nothing_left(self.lab, law):
            raise NotApplicableError(reason)
        return Verdict(law.name, PROVEN, histories=len(findings), **self._noted(law, tried))

    def _falsified(self, law: Law, history: History, shrunk_from: int, tried: Mapping[History, Finding]) -> Verdict:
        finding = tried[history]
        shown = finding.history or history
        names = finding.diff.names
        asked = self.evidence.asked(shown, names) if law.asks_who else ()
        return Verdict(
            law.name,
            FALSIFIED,
            verdict=finding.verdict or law.verdict,
            histories=len(tried),
            history=shown,
            diff=finding.diff,
            accusation=finding.accusation,
            headline=finding.headline or _headline(law, finding.diff),
            sides=finding.sides,
            hint=self._hint(shown, finding.diff),
            left=self._left(shown, finding.diff),
            shrunk_from=len(shown) if finding.history else shrunk_from,
            written_by=None if law.finds_handlers else self.evidence.writer(shown, names),
            where=self.evidence.where(shown),
            raised=self.evidence.located_line(finding.raised),
            asked=asked,
            taken=self.evidence.taken(shown) if law.finds_handlers else (),
            machines=differences(*law.machines) if law.asks_who and not asked and len(law.machines) == 2 else "",
            replay=save(self.lab, law, history, self.seed),
            **self._noted(law, tried),
        )

    def _noted(self, law: Law, tried: Mapping[History, Finding]) -> dict[str, Any]:
        """Return what findings have noted besides their diffs, as arguments of a verdict."""
        findings = list(tried.values())
        not_tried = dict.fromkeys(f"{entry.what} {entry.why}" for f in findings for entry in f.left_out)
        return {
            "noise": tuple(sorted({column for finding in findings for column in finding.not_compared})),
            "faults": tuple(fault for finding in findings for fault in finding.faults),
            "faults_left_out": "; ".join(not_tried) or None,
            "compared": self.lab.scope.compared,
            "left_out": left_out(self.lab, law, tried),
        }

    def _hint(self, history: History, found: Diff) -> str:
        """Return the line of the configuration that says of this difference that it is meant."""
        try:
            structure = self.lab.state(history).structure if found else {}
        except DagproofError:
            return ""  # a run of the history fails, and that is the finding
        return audit_hint(self.lab.dag_id, found, structure, self.lab.proof.ignore)

    def _left(self, history: History, found: Diff) -> tuple[str, ...]:
        """Return how much there is of what differs after each step: rows, or bytes where just files differ.

        Where neither does, it is how often the first thing is there that differs otherwise.
        """
        try:
            states = [self.lab.state(history[: n + 1]) for n in range(len(history))]
        except DagproofError:
            return ()  # one of the runs fails, and that is the finding
        tables, files = {t.table for t in found.tables}, {f.path for f in found.files}
        if found.structure and not tables and not files:
            first = found.structure[0]
            return tuple(f"×{occurrences(s.structure, first)}" for s in states)
        if files and not tables:
            return tuple(count(sum(f.size for p, f in s.files.items() if p in files), "byte") for s in states)
        return tuple(count(sum(len(t.rows) for n, t in s.tables.items() if n in tables), "row") for s in states)


def _can_be_tried(history: History, check: Callable[[History], Finding]) -> bool:
    """Try a saved history; one that fits the DAG no longer, or never did, stops no proof."""
    try:
        check(history)
    except Exception:  # it comes from a file that anybody can edit, and may ask for anything
        return False
    return True


def _headline(law: Law, found: Diff) -> str:
    """Return what happened where no row or file differs; an empty text where the law's own words are right."""
    if not found.structure or found.tables or found.files:
        return ""
    if "Rows differ" in law.headline:
        return law.headline.replace("Rows differ", "Definitions differ")
    return "Definitions differ, and no row or file does"


@contextmanager
def open_prover(
    dag_id: str,
    config: Config,
    *,
    dates: Sequence[str] = (),
    laws: Sequence[Law] = (),
    postgres: str | PostgresServer = "embedded",
    seed: int = 0,
    max_histories: int = DEFAULT_MAX_HISTORIES,
    budget: Budget | None = None,
) -> Iterator[Prover]:
    """Make a lab for `dag_id` and yield its prover; clean everything up at the end.

    Raises:
        DagproofError: no server, no such DAG, a DAG that does not load, a date that is none.
    """
    check_law_names(config)
    with open_driver(config, postgres=postgres, machines=machines_for(laws or all_laws())) as driver:
        yield Prover(driver.lab(dag_id, dates), seed=seed, max_histories=max_histories, budget=budget)


def machines_for(laws: Iterable[Law]) -> list[Machine]:
    """Return the machines that a proof of `laws` needs: a second one only where two are compared."""
    return [HERE, ELSEWHERE] if any(ELSEWHERE in law.machines for law in laws) else [HERE]


def replay(id_or_file: str, config: Config, *, postgres: str | PostgresServer = "embedded") -> Proof:
    """Let a saved history happen again, in a fresh process, and judge it anew.

    Raises:
        UsageError: there is no such history, or the file is none.
        DagproofError: it could not be tried.
    """
    started = time.perf_counter()
    saved = load_saved(id_or_file, config)
    law = law_named(saved.law)
    dates = list(dict.fromkeys(date for step in saved.history for date in (step.date, step.other) if date))
    with open_prover(saved.dag_id, config, dates=dates, laws=[law], postgres=postgres, seed=saved.seed) as prover:
        return prover.concluded([prover.replay(law, saved.history)], started)
