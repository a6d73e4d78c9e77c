"""Several proofs: one exit status, one document, and a line for each DAG at the end."""

from __future__ import annotations

import pytest

from dagproof.laws import Verdict
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN
from dagproof.proof.several import Proofs
from dagproof.proof.verdicts import Proof
from dagproof.report.text import each_in_a_line, proof_or_reason_text

DATES = ("2026-01-01",)


def proof(dag_id: str, **outcomes: str) -> Proof:
    """A proof in which the laws have come out like this."""
    return Proof(dag_id, 0, DATES, tuple(Verdict(law, outcome) for law, outcome in outcomes.items()), 1.25)


HEALTHY = proof("load", effect=PROVEN, rerun=PROVEN, late=NOT_APPLICABLE)
BROKEN = proof("load_more", effect=PROVEN, rerun=FALSIFIED, retry=FALSIFIED)
UNKNOWN = proof("asks", effect=ERROR)
IDLE = proof("waits", late=NOT_APPLICABLE)
MISSING = {"lod": "no DAG 'lod' in dags; did you mean 'load'?"}


@pytest.mark.parametrize(
    ("proofs", "status"),
    [
        (Proofs([HEALTHY]), 0),
        (Proofs([HEALTHY, IDLE]), 0),
        (Proofs([IDLE]), 2),
        (Proofs([HEALTHY, UNKNOWN]), 2),
        (Proofs([HEALTHY], MISSING), 2),
        (Proofs([HEALTHY, UNKNOWN, BROKEN], MISSING), 1),
        (Proofs(), 2),
    ],
)
def test_the_exit_status(proofs: Proofs, status: int) -> None:
    """Falsified comes before all else; what nobody could tell is never 0."""
    assert proofs.exit_status == status


def test_a_line_for_each_dag() -> None:
    """What was proven, falsified and not told of each, in the order of the proofs; those without a proof come last."""
    proofs = Proofs()
    for proof in (HEALTHY, BROKEN, UNKNOWN):
        proofs.add(proof.dag_id, proof)
    for dag_id, reason in MISSING.items():
        proofs.add(dag_id, reason)
    assert each_in_a_line(proofs).splitlines() == [
        "4 DAGs in 3.8 s",
        "",
        "  ✓ load       2 of 3 laws proven; not applicable: late",
        "  ✗ load_more  1 of 3 laws proven; falsified: rerun, retry",
        "  - asks       0 of 1 law proven; error: effect",
        "  ? lod        no proof: no DAG 'lod' in dags; did you mean 'load'?",
    ]


def test_an_id_cannot_write_to_the_terminal() -> None:
    """Ids and reasons are the user's."""
    answer = {"a\x1b[2J": "no DAG 'a\x1b[2J'"}
    texts = [each_in_a_line(Proofs([], answer)), *(proof_or_reason_text(*entry) for entry in answer.items())]
    assert all("\x1b" not in text and "[2J" in text for text in texts)


def test_the_json_has_each_proof_as_it_is_alone() -> None:
    """And why there is none."""
    assert Proofs([HEALTHY, BROKEN], MISSING).to_json() == {
        "proofs": [HEALTHY.to_json(), BROKEN.to_json()],
        "unproven": MISSING,
    }
