"""The HTML report of a pytest session: all its verdicts on one page, those of pytest-xdist's workers included."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagproof.errors import UsageError
from dagproof.histories.steps import count
from dagproof.laws import Verdict, law_named
from dagproof.proof.causes import told_once
from dagproof.proof.verdicts import Proof
from dagproof.report.html import check_writable, write_html

NAME = "dagproof-html"
HANDED_OVER = "dagproof_verdicts"


@dataclass(frozen=True)
class Proved:
    """A verdict, and what it was reached over."""

    dag_id: str
    dates: tuple[str, ...]
    seed: int
    ignored: tuple[str, ...]
    verdict: Verdict


class SessionReport:
    """A plugin that collects verdicts and writes them at the end. Workers hand theirs over to who started them.

    Raises:
        pytest.UsageError: the page could not be written to `path`.
    """

    def __init__(self, path: Path) -> None:
        try:
            check_writable(path)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        self._path = path
        self._proved: list[Proved] = []
        self._untold: list[str] = []
        self._said = ""

    def prove(self, proved: Proved) -> None:
        """Take a verdict."""
        self._proved.append(proved)

    def leave_out(self, reason: str) -> None:
        """Take the reason why there is no verdict about something."""
        self._untold.append(reason)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker has collected; one that crashed has taken it along."""
        handed_over = getattr(node, "workeroutput", {}).get(HANDED_OVER)
        if handed_over is None:
            self.leave_out(f"the verdicts of worker {node.gateway.id}, which crashed")
            return
        proved, untold = pickle.loads(handed_over)  # noqa: S301 - our own worker wrote it
        self._proved += proved
        self._untold += untold

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over, or write."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[HANDED_OVER] = pickle.dumps((self._proved, self._untold))
            return
        proofs = proofs_of(self._proved)
        try:
            write_html(self._path, proofs, sorted(set(self._untold)))
        except UsageError as error:
            self._said = str(error)
            session.exitstatus = session.exitstatus or pytest.ExitCode.USAGE_ERROR
        else:
            verdicts = count(sum(len(proof.verdicts) for proof in proofs), "verdict")
            self._said = f"{verdicts} in {self._path}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the page is."""
        terminalreporter.write_line(f"dagproof: {self._said}")


def report_of(config: pytest.Config) -> SessionReport | None:
    """Return the report of the session, if there will be one."""
    plugin = config.pluginmanager.get_plugin(NAME)
    return plugin if isinstance(plugin, SessionReport) else None


def proofs_of(proved: Sequence[Proved]) -> list[Proof]:
    """Return the verdicts as proofs, one for each DAG, dates and seed, in an order that does not hang on the workers.

    Of several verdicts about the same law, the one over most histories is kept.
    """
    groups: dict[tuple[str, tuple[str, ...], int, tuple[str, ...]], dict[str, Verdict]] = {}
    for one in sorted(proved, key=lambda one: one.verdict.histories):
        groups.setdefault((one.dag_id, one.dates, one.seed, one.ignored), {})[one.verdict.law] = one.verdict
    proofs = []
    for (dag_id, dates, seed, ignored), by_law in sorted(groups.items()):
        verdicts = sorted(by_law.values(), key=lambda verdict: law_named(verdict.law).order)
        proofs.append(Proof(dag_id, seed, dates, told_once(verdicts), sum(v.seconds for v in verdicts), ignored))
    return proofs
