"""The proofs of several DAGs, one after the other: those that are named, or all of a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dagproof.config import Config
from dagproof.errors import DagproofError
from dagproof.laws import law_named
from dagproof.laws.verdict import ERROR, FALSIFIED, PROVEN
from dagproof.postgres.server import ServerError
from dagproof.proof.jobs import prove
from dagproof.proof.verdicts import Proof
from dagproof.runs.driver import open_driver


@dataclass
class Proofs:
    """The proofs of several DAGs, as far as they have been reached."""

    proofs: list[Proof] = field(default_factory=list)
    unproven: dict[str, str] = field(default_factory=dict)
    """Why there is no proof: by DAG id, or by file of the folder where that does not load."""

    @property
    def any(self) -> bool:
        """Whether there is anything to report."""
        return bool(self.proofs or self.unproven)

    @property
    def exit_status(self) -> int:
        """0 when everything that applies is proven, 1 when a law is falsified, 2 when it could not be told."""
        outcomes = {verdict.outcome for proof in self.proofs for verdict in proof.verdicts}
        if FALSIFIED in outcomes:
            return 1
        return 0 if PROVEN in outcomes and ERROR not in outcomes and not self.unproven else 2

    def add(self, dag_id: str, answer: Proof | str) -> None:
        """Add the proof of a DAG, or why there is none."""
        if isinstance(answer, Proof):
            self.proofs.append(answer)
        else:
            self.unproven[dag_id] = answer

    def to_json(self) -> dict[str, Any]:
        """Return all of them, each as ``dagproof prove DAG_ID`` prints it."""
        return {"proofs": [proof.to_json() for proof in self.proofs], "unproven": self.unproven}


def dags_of(config: Config, postgres: str) -> tuple[list[str], dict[str, str]]:
    """Return the ids of the folder's DAGs by file, and why files do not load.

    Raises:
        DagproofError: nothing can be imported, such as without PostgreSQL or without Airflow.
    """
    with open_driver(config, postgres=postgres) as driver:
        dags, errors = driver.catalogue()
    return sorted(dags, key=lambda dag_id: (dags[dag_id], dag_id)), {name: errors[name] for name in sorted(errors)}


def proof_or_reason(dag_id: str, config: Config, **options: Any) -> Proof | str:
    """Return the proof of a DAG, or why there is none; `options` are those of :func:`dagproof.proof.jobs.prove`.

    Raises:
        UsageError: what was asked for is wrong for each DAG, such as an unknown law.
        ServerError: no PostgreSQL can be had, so that no DAG can be proven.
    """
    for name in options.get("laws", ()):
        law_named(name)
    try:
        return prove(dag_id, config, **options)
    except ServerError:
        raise
    except DagproofError as error:
        return str(error)
