"""Data that are late, and there in part: whoever waits for the first of them loads too little."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from dagproof.config import parse_config
from dagproof.histories import Step
from dagproof.laws import law_named
from dagproof.proof.prover import Prover
from dagproof.report.text import failure_text
from dagproof.runs.driver import Driver, open_driver

pytestmark = pytest.mark.slow

DATE = "2026-01-01"
LATE = Step("late", DATE, task="producer", delay=3600)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A driver for the DAGs in late/, in a folder in which no history is saved."""
    root = tmp_path_factory.mktemp("late")
    shutil.copytree(Path(__file__).parent / "late", root / "late")
    table = {
        "dags": "late",
        "world": {"env": {"DATA_ROOT": "{files}"}},
        "proofs": {dag_id: {"after": ["producer"], "dates": [DATE]} for dag_id in ("hasty", "patient")},
    }
    with open_driver(parse_config(table, root=root)) as driver:
        yield driver


def test_who_waits_for_the_first_file_takes_the_others_for_missing(driver: Driver) -> None:
    """The shortest history says before which task the producer had stopped."""
    verdict = Prover(driver.lab("hasty"), seed=0, max_histories=8).prove(law_named("late"))
    assert (verdict.outcome, verdict.verdict) == ("falsified", "fails while waiting")
    assert verdict.history == (Step("arrive", DATE, task="producer", point="task customers"), LATE)
    assert str(verdict.history[0]) == "arrive(2026-01-01, producer, stopped before task customers)"
    assert re.sub(r"replay \w+$", "replay ID", failure_text("hasty", verdict)) == dedent(
        """\
        hasty does not wait well

        - Rows differ when the data come late

            joined-2026-01-01.txt   changed: line 1: 'ada' became 'unknown'

        Minimal failing history (2 steps):

            1  arrive  2026-01-01  producer, stopped before task customers       0 bytes
            2  late    2026-01-01  producer, by 60 min                          15 bytes  ~

        Written by task join, at late/partly.py:38
        Replay:  dagproof replay ID"""
    )


def test_who_waits_for_the_last_file_does_well(driver: Driver) -> None:
    """Whether all is late, or just a part."""
    verdict = Prover(driver.lab("patient"), seed=0, max_histories=8).prove(law_named("late"))
    assert (verdict.outcome, verdict.histories) == ("proven", 2)
