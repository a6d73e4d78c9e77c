"""A history that broke a law is tried first next time, as long as what it names is there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagproof.config import parse_config
from dagproof.errors import UsageError
from dagproof.histories import Step
from dagproof.laws.correction import Correction
from dagproof.proof.prover import _can_be_tried
from dagproof.proof.saved import SAVED, load_saved, save, saved_before
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


GOOD: dict[str, Any] = {
    "dag_id": "d",
    "law": "correction",
    "seed": 0,
    "history": [{"step": "run", "date": "2026-01-01"}],
}
TAMPERED = [
    pytest.param(b"", "it is not JSON (Expecting value", id="empty"),
    pytest.param({"dag_id": "d"}, "it has no key 'history'", id="no-history"),
    pytest.param(b"[]", "it is not a JSON object", id="list"),
    pytest.param(b"\xff", "'utf-8' codec", id="no-UTF-8"),
    pytest.param(b"[" * 100_000, "maximum recursion", id="deep-nesting"),
    pytest.param(b" " * 1_000_001, "it has more than 1,000,000 bytes", id="too-large"),
    pytest.param({**GOOD, "seed": float("inf")}, "cannot convert float infinity", id="seed-infinity"),
    pytest.param({**GOOD, "seed": [1]}, "int() argument must be", id="seed-list"),
    pytest.param(b'{"seed": ' + b"9" * 5_000 + b"}", "Exceeds the limit", id="number-of-5000-digits"),
    pytest.param({**GOOD, "history": 3}, "a step needs 'step' and 'date'", id="history-number"),
    pytest.param({**GOOD, "history": [{"step": "rn", "date": "x"}]}, "unknown step 'rn'; ", id="no-step"),
    pytest.param(
        {**GOOD, "history": [{"step": "run", "date": "x", "kind": "y"}]},
        "a step needs 'step' and 'date', and no unknown keys",
        id="another-key",
    ),
]


def put(root: Path, content: bytes | dict[str, Any], name: str = "0a1b2c") -> Path:
    """Write a file where histories are saved."""
    path = root / SAVED / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize(("content", "reason"), TAMPERED)
def test_a_history_that_was_tampered_with_is_none(tmp_path: Path, content: bytes | dict[str, Any], reason: str) -> None:
    """`replay` says so, and no proof tries it."""
    path = put(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        load_saved("0a1b2c", parse_config({}, root=tmp_path))
    assert str(caught.value).startswith(f"{path} is not a saved history: {reason}")
    assert saved_before(lab(tmp_path), Correction()) == []


def test_a_history_that_somebody_wrote_by_hand_is_not_tried(tmp_path: Path) -> None:
    """Its name is made of what is in it: another history under this name accuses nobody."""
    name = save(lab(tmp_path), Correction(), HISTORY, seed=0)
    path = tmp_path / SAVED / f"{name}.json"
    path.write_text(path.read_text().replace("fewer", ""))
    assert saved_before(lab(tmp_path), Correction()) == []
    put(tmp_path, GOOD)
    assert saved_before(lab(tmp_path), Correction()) == []


def test_a_pipe_among_the_histories_hangs_no_proof(tmp_path: Path) -> None:
    """Neither when they are read nor when another is written."""
    path = put(tmp_path, GOOD)
    path.unlink()
    os.mkfifo(path)
    assert saved_before(lab(tmp_path), Correction()) == []
    assert save(lab(tmp_path), Correction(), HISTORY, seed=0)


def test_what_a_saved_history_raises_stops_no_proof(tmp_path: Path) -> None:
    """It is left out, whatever it asks for; one that can be tried stays."""

    def check(history: object) -> Any:
        if history == HISTORY:
            raise IndexError("message 99999")

    assert not _can_be_tried(HISTORY, check)
    assert _can_be_tried(HISTORY[:1], check)
