"""A history that broke a law is tried first next time, as long as what it names is there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagproof.config import parse_config
from dagproof.histories import Step
from dagproof.laws.correction import Correction
from dagproof.proof.saved import save, saved_before
from dagproof.runs.lab import Lab

HISTORY = (Step("run", "2026-01-01"), Step("correct", "2026-01-01", correction="fewer"), Step("rerun", "2026-01-01"))


def lab(root: Path, date: str = "2026-01-01", dag_id: str = "d", corrections: tuple[str, ...] = ("fewer",)) -> Lab:
    """A lab that knows no more than what it is about."""
    proof = SimpleNamespace(corrections=dict.fromkeys(corrections, "x.sql"))
    found: Any = SimpleNamespace(config=parse_config({}, root=root), dag_id=dag_id, dates=(date,), proof=proof)
    return cast("Lab", found)


@pytest.mark.parametrize(
    ("now", "kept"),
    [({}, True), ({"corrections": ("more",)}, False), ({"date": "2026-01-02"}, False), ({"dag_id": "e"}, False)],
    ids=["the same", "another correction", "another date", "another DAG"],
)
def test_a_history_is_tried_again_while_what_it_names_is_there(tmp_path: Path, now: dict[str, Any], kept: bool) -> None:
    """One of another DAG, of other dates, or with a correction that is gone, is left alone."""
    assert save(lab(tmp_path), Correction(), HISTORY, seed=0)
    assert saved_before(lab(tmp_path, **now), Correction()) == ([HISTORY] if kept else [])
