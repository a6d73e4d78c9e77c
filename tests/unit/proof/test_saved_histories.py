"""A history that broke a law is tried first next time, as long as what it names is there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagproof.config import parse_config
from dagproof.histories import Step
from dagproof.laws.correction import Correction
from dagproof.proof.prover import Prover

HISTORY = (Step("run", "2026-01-01"), Step("correct", "2026-01-01", correction="fewer"), Step("rerun", "2026-01-01"))


def prover(
    root: Path, date: str = "2026-01-01", dag_id: str = "d", corrections: tuple[str, ...] = ("fewer",)
) -> Prover:
    """A prover whose lab knows no more than what it is about."""
    proof = SimpleNamespace(corrections=dict.fromkeys(corrections, "x.sql"))
    lab: Any = SimpleNamespace(
        config=parse_config({}, root=root), dag_id=dag_id, runs={(dag_id, date): {}}, proof=proof
    )
    return Prover(lab, [date], seed=0, max_histories=1)


@pytest.mark.parametrize(
    ("now", "kept"),
    [({}, True), ({"corrections": ("more",)}, False), ({"date": "2026-01-02"}, False), ({"dag_id": "e"}, False)],
    ids=["the same", "another correction", "another date", "another DAG"],
)
def test_a_history_is_tried_again_while_what_it_names_is_there(tmp_path: Path, now: dict[str, Any], kept: bool) -> None:
    """One of another DAG, of other dates, or with a correction that is gone, is left alone."""
    assert prover(tmp_path)._save(Correction(), HISTORY)
    assert prover(tmp_path, **now)._saved_before(Correction()) == ([HISTORY] if kept else [])
