"""A whole proof: the verdicts about one DAG."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagproof.config import Config
from dagproof.laws import Verdict
from dagproof.laws.verdict import ERROR, FALSIFIED, PROVEN
from dagproof.proof.causes import told_once


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


def proof_of(
    config: Config, dag_id: str, dates: Sequence[str], verdicts: Sequence[Verdict], *, seed: int, started: float
) -> Proof:
    """Return the verdicts that were reached over `dates`, as a proof that began at a ``time.perf_counter()``."""
    ignored = tuple(sorted(set(config.proof(dag_id).ignore)))
    return Proof(dag_id, seed, tuple(dates), told_once(verdicts), time.perf_counter() - started, ignored)
