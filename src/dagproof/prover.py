"""The prover: puts a DAG to its laws and returns a verdict for each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from dagproof.config import Config
from dagproof.driver import open_driver
from dagproof.errors import ConfigError, DagproofError, UsageError
from dagproof.histories import History, history_from_json, history_id, history_to_json
from dagproof.histories.steps import DEFAULT_MAX_HISTORIES, count
from dagproof.lab import Lab
from dagproof.laws import Finding, Law, NotApplicableError, Verdict, all_laws, law_named
from dagproof.laws.base import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN
from dagproof.worlds.diff import Diff
from dagproof.worlds.machine import ELSEWHERE, HERE, Machine
from dagproof.worlds.servers import PostgresServer
from dagproof.worlds.world import RunFailedError

SAVED = Path(".dagproof", "histories")


@dataclass(frozen=True)
class Proof:
    """The verdicts about one DAG, and what they were reached over."""

    dag_id: str
    seed: int
    dates: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float
    ignored: tuple[str, ...] = ()
    """What the configuration says may differ."""

    @property
    def exit_status(self) -> int:
        """0 when everything that applies is proven, 1 when a law is falsified, 2 when it could not be told."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        if FALSIFIED in outcomes:
            return 1
        return 0 if PROVEN in outcomes and ERROR not in outcomes else 2

    def to_json(self) -> dict[str, Any]:
        """Return the proof as in the JSON that ``dagproof prove`` prints."""
        return {
            "dag_id": self.dag_id,
            "seed": self.seed,
            "dates": list(self.dates),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }


class Prover:
    """Proves laws about one DAG whose lab stands ready."""

    def __init__(self, lab: Lab, dates: Sequence[str], *, seed: int, max_histories: int) -> None:
        self.lab = lab
        self.dates = tuple(dates)
        self.seed = seed
        self.max_histories = max_histories

    def prove(self, law: Law) -> Verdict:
        """Try to break `law`; the examples first, then drawn histories, and shrink what breaks it."""
        return self._judged(law, lambda: self._search(law))

    def replay(self, law: Law, history: History) -> Verdict:
        """Try just `history`."""

        def once() -> Verdict:
            finding = law.check(self.lab, history)
            return self._falsified(law, history, finding, len(history), 1) if finding else self._proven(law, 1, finding)

        return self._judged(law, once)

    def concluded(self, verdicts: Sequence[Verdict], started: float) -> Proof:
        """Return the verdicts as a proof that began at ``time.perf_counter()`` = `started`."""
        seconds, ignored = time.perf_counter() - started, tuple(sorted(self.lab.ignore))
        return Proof(self.lab.dag_id, self.seed, self.dates, tuple(verdicts), seconds, ignored)

    def _judged(self, law: Law, attempt: Callable[[], Verdict]) -> Verdict:
        """Turn whatever ends the attempt into a verdict: never silence."""
        started = time.perf_counter()
        try:
            verdict = attempt()
        except NotApplicableError as reason:
            verdict = Verdict(law.name, NOT_APPLICABLE, reason=str(reason))
        except RunFailedError as error:
            verdict = Verdict(law.name, ERROR, reason=str(error), log_tail=error.log_tail)
        except ConfigError:
            raise
        except DagproofError as error:
            verdict = Verdict(law.name, ERROR, reason=str(error))
        ignored = tuple(sorted({*verdict.noise, *self.lab.ignore}))
        return replace(verdict, seconds=time.perf_counter() - started, ignored=ignored)

    def _search(self, law: Law) -> Verdict:
        tried: dict[History, Finding] = {}

        def check(history: History) -> Finding:
            if history not in tried:
                tried[history] = law.check(self.lab, history)
            return tried[history]

        for history in law.examples(self.dates):
            if finding := check(history):
                return self._falsified(law, history, finding, len(history), len(tried))
        found = self._draw(law, check, self.max_histories - len(tried))
        if found is not None:
            history, first = found
            return self._falsified(law, history, tried[history], len(first), len(tried))
        return self._proven(law, len(tried), *tried.values())

    def _draw(self, law: Law, check: Callable[[History], Finding], budget: int) -> tuple[History, History] | None:
        """Draw up to `budget` histories; return the shortest that breaks the law, and the one found first."""
        strategy = law.draws(self.dates)
        if strategy is None or budget < 1:
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
                failed = not stopped and bool(check(history))
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

    def _proven(self, law: Law, histories: int, *findings: Finding) -> Verdict:
        not_compared = {column for finding in findings for column in finding.not_compared}
        return Verdict(law.name, PROVEN, histories=histories, noise=tuple(sorted(not_compared)))

    def _falsified(self, law: Law, history: History, finding: Finding, shrunk_from: int, histories: int) -> Verdict:
        names = {t.table for t in finding.diff.tables} | {f.path for f in finding.diff.files}
        return Verdict(
            law.name,
            FALSIFIED,
            verdict=law.verdict,
            histories=histories,
            history=history,
            diff=finding.diff,
            noise=tuple(sorted(finding.not_compared)),
            left=self._left(history, finding.diff),
            shrunk_from=shrunk_from,
            written_by=self._writer(history, names),
            replay=self._save(law, history),
        )

    def _left(self, history: History, found: Diff) -> tuple[str, ...]:
        """Return how much there is of what differs after each step: rows, or bytes where just files differ."""
        states = [self.lab.state(history[: n + 1]) for n in range(len(history))]
        tables, files = {t.table for t in found.tables}, {f.path for f in found.files}
        if files and not tables:
            return tuple(count(sum(f.size for p, f in s.files.items() if p in files), "byte") for s in states)
        return tuple(count(sum(len(t.rows) for n, t in s.tables.items() if n in tables), "row") for s in states)

    def _writer(self, history: History, names: set[str]) -> str | None:
        if not names:
            return None
        try:
            return self.lab.writer(history, names)
        except DagproofError:
            return None  # the run does not succeed each time; the verdict stands without the name

    def _save(self, law: Law, history: History) -> str | None:
        """Save the history for ``dagproof replay``; None where the folder cannot be written."""
        name = history_id(self.lab.dag_id, law.name, history_to_json(history))
        body = {"dag_id": self.lab.dag_id, "law": law.name, "seed": self.seed, "history": history_to_json(history)}
        folder = self.lab.config.root / SAVED
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            (folder / f"{name}.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
        except OSError:
            return None
        return name


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
) -> Iterator[Prover]:
    """Make a lab for `dag_id` and yield its prover; clean everything up at the end.

    Raises:
        DagproofError: no server, no such DAG, a DAG that does not load, a date that is none.
    """
    with open_driver(config, postgres=postgres, machines=machines_for(laws or all_laws())) as driver:
        lab, planned = driver.lab(dag_id, dates)
        yield Prover(lab, planned, seed=seed, max_histories=max_histories)


def machines_for(laws: Iterable[Law]) -> list[Machine]:
    """Return the machines that a proof of `laws` needs: a second one only where two are compared."""
    return [HERE, ELSEWHERE] if any(law.needs_elsewhere for law in laws) else [HERE]


def prove(
    dag_id: str,
    config: Config,
    *,
    laws: Sequence[str] = (),
    on_law: Callable[[Law], None] = lambda law: None,
    **options: Any,
) -> Proof:
    """Prove the named laws (all of them by default) about `dag_id`; `options` are those of :func:`open_prover`.

    `on_law` is called with each law before its proof begins.

    Raises:
        DagproofError: it could not even be tried.
    """
    started = time.perf_counter()
    chosen = [law_named(name) for name in laws] or list(all_laws())
    verdicts = []
    with open_prover(dag_id, config, laws=chosen, **options) as prover:
        for law in sorted(chosen, key=lambda law: law.order):
            on_law(law)
            verdicts.append(prover.prove(law))
        prover.lab.check_ignore()
        return prover.concluded(verdicts, started)


def replay(id_or_file: str, config: Config, *, postgres: str | PostgresServer = "embedded") -> Proof:
    """Let a saved history happen again, in a fresh process, and judge it anew.

    Raises:
        UsageError: there is no such history, or the file is none.
        DagproofError: it could not be tried.
    """
    started = time.perf_counter()
    saved = load_saved(id_or_file, config)
    law = law_named(saved["law"])
    history = saved["history"]
    dates = list(dict.fromkeys(step.date for step in history))
    with open_prover(saved["dag_id"], config, dates=dates, laws=[law], postgres=postgres, seed=saved["seed"]) as prover:
        return prover.concluded([prover.replay(law, history)], started)


def load_saved(id_or_file: str, config: Config) -> dict[str, Any]:
    """Return a saved history with the DAG and the law that it is about.

    Raises:
        UsageError: nothing is saved under that name, or the file holds no history.
    """
    path = Path(id_or_file)
    if not path.is_file():
        path = config.root / SAVED / f"{id_or_file}.json"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        history = history_from_json(body["history"])
        return {"dag_id": str(body["dag_id"]), "law": str(body["law"]), "seed": int(body["seed"]), "history": history}
    except OSError:
        folder = config.root / SAVED
        there = ", ".join(sorted(p.stem for p in folder.glob("*.json"))[:10]) or "none"
        raise UsageError(f"no history {id_or_file!r} is saved (in {folder}: {there}), and it is no file") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} holds no history ({error})") from error
