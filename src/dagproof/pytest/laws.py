"""Proofs as tests: the items that the plugin collects, and what its fixture ``prove`` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from dagproof.errors import DagproofError, UsageError, WorkerError, nearest
from dagproof.laws import Law, Verdict, all_laws, law_named
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN
from dagproof.proof.causes import told_once
from dagproof.proof.prover import Prover
from dagproof.proof.revealed import unknown_names
from dagproof.pytest.nodes import file_node, shown
from dagproof.pytest.report import Proved, report_of
from dagproof.pytest.session import LEFT_OUT, RESOURCES
from dagproof.report.text import failure_text, one_line
from dagproof.runs.references import check_names
from dagproof.runs.scope import sentences

#: The verdicts of the session so far, by DAG and dates: what one of them says in full, the next ones refer to.
TOLD: pytest.StashKey[dict[tuple[str, tuple[str, ...]], list[Verdict]]] = pytest.StashKey()


class ProofError(AssertionError):
    """A law is falsified, or could not be tried; the message is the whole report."""


class LawsOf:
    """The laws of one DAG as methods: ``.rerun()``, ``.effect()`` and so on for each law, and ``.all()``."""

    def __init__(
        self, node: pytest.Item, dag_id: str, *, dates: Sequence[str], seed: int, max_histories: int | None
    ) -> None:
        self._node, self._config = node, node.config
        self._dag_id = dag_id
        self._seed, self._max_histories = seed, max_histories
        self._dates = tuple(dates)

    def __getattr__(self, name: str) -> Callable[[], Verdict]:
        laws = {law.name.replace("-", "_"): law for law in all_laws()}
        if name not in laws:
            raise AttributeError(f"there is no law {name!r}{nearest(name, laws)}")

        def prove_it() -> Verdict:
            __tracebackhide__ = True
            return self._prove(laws[name])

        return prove_it

    def all(self) -> list[Verdict]:
        """Prove each law; return the verdicts. One that does not apply is among them, with its reason."""
        __tracebackhide__ = True
        verdicts = []
        for law in all_laws():  # no comprehension: its frame would show in the traceback
            verdicts.append(self._prove(law, skip=False))
        return verdicts

    def _prove(self, law: Law, *, skip: bool = True) -> Verdict:
        __tracebackhide__ = True
        try:
            verdict = verdict_of(
                self._config, self._dag_id, law, self._dates, seed=self._seed, max_histories=self._max_histories
            )
        except DagproofError as error:
            raise ProofError(str(error)) from None
        return _judge(self._node, self._dag_id, verdict, skip=skip)


class Prove(Protocol):
    """What the fixture ``prove`` is."""

    def __call__(
        self,
        dag_id: str,
        *,
        dates: tuple[str, ...] | list[str] = (),
        seed: int = 0,
        max_histories: int | None = None,
    ) -> LawsOf:
        """Return the laws of the DAG `dag_id`, to be proven over `dates`."""


class LawItem(pytest.Item):
    """The proof of one law about one DAG."""

    def __init__(self, *, dag_id: str, law: str, **options: Any) -> None:
        super().__init__(**options)
        self.dag_id = dag_id
        self.law = law
        self.add_marker(pytest.mark.laws)

    def runtest(self) -> None:
        """Prove it."""
        _judge(self, self.dag_id, verdict_of(self.config, self.dag_id, law_named(self.law)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report of the proof, and nothing of our internals."""
        if not isinstance(excinfo.value, ProofError | DagproofError):
            return super().repr_failure(excinfo, style)
        return shown(str(excinfo.value), self.path)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is and what it is called."""
        return self.path, None, f"{self.dag_id}: {self.law}"


class LoadItem(pytest.Item):
    """A file of the DAG folder that does not load: nothing can be proven about what it defines."""

    def __init__(self, *, reason: str, **options: Any) -> None:
        super().__init__(**options)
        self.reason = reason
        self.add_marker(pytest.mark.laws)

    def runtest(self) -> None:
        """Say why."""
        sentence = f"{self.path.name} does not load: {self.reason}"
        if report := report_of(self.config):
            report.leave_out(sentence)
        raise WorkerError(sentence)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The reason, and nothing of our internals."""
        return shown(str(excinfo.value), self.path)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is and what it is called."""
        return self.path, None, f"{self.path.name}: loads"


def collect(session: pytest.Session, folder: Path) -> Iterator[pytest.Item]:
    """Yield an item for each DAG of `folder` and law, and one for each file that does not load."""
    try:
        dags, errors = session.config.stash[RESOURCES].driver().catalogue()
    except DagproofError as error:
        raise pytest.UsageError(str(error)) from None
    for name, reason in sorted(errors.items()):
        path = folder / name
        yield LoadItem.from_parent(file_node(session, path), name="loads", reason=reason)
    for dag_id, path in sorted(dags.items(), key=lambda entry: (entry[1], entry[0])):
        parent = file_node(session, path)
        for law in all_laws():
            yield LawItem.from_parent(parent, name=f"{dag_id}::{law.name}", dag_id=dag_id, law=law.name)


def verdict_of(
    config: pytest.Config,
    dag_id: str,
    law: Law,
    dates: Sequence[str] = (),
    *,
    seed: int = 0,
    max_histories: int | None = None,
) -> Verdict:
    """Prove a law in the session's driver; the states that one law has computed serve the next.

    Without `max_histories` it is as the option ``--dagproof-max-histories`` says.
    """
    most = config.getoption("--dagproof-max-histories") if max_histories is None else max_histories
    report = report_of(config)
    try:
        driver = config.stash[RESOURCES].driver()
        if driver.worlds.is_open:
            raise UsageError("this test has a sandbox open, and a proof needs worlds of its own: prove in another test")
        lab = driver.lab(dag_id, dates)
        verdict = Prover(lab, seed=seed, max_histories=most).prove(law)
        check_names([unknown_names(lab)])
        told = config.stash.setdefault(TOLD, {}).setdefault((dag_id, lab.dates), [])
        verdict = told_once([*told, verdict])[-1]
        told.append(verdict)
    except DagproofError as error:
        if report:
            report.leave_out(f"{dag_id} {law.name}: {error}")
        raise
    if report:
        report.prove(Proved(dag_id, lab.dates, seed, tuple(sorted(lab.ignore)), verdict))
    return verdict


def _judge(node: pytest.Item, dag_id: str, verdict: Verdict, *, skip: bool = True) -> Verdict:
    """Turn a verdict into the outcome of a test, which keeps what was left out."""
    __tracebackhide__ = True
    lines = sentences(verdict.left_out) if verdict.outcome in {PROVEN, FALSIFIED} else []
    node.user_properties += [(LEFT_OUT, f"{dag_id} {verdict.law}: {line}") for line in lines]
    if verdict.outcome in {FALSIFIED, ERROR}:
        raise ProofError(failure_text(dag_id, verdict))
    if verdict.outcome == NOT_APPLICABLE and skip:
        pytest.skip(one_line(dag_id, verdict))
    return verdict
