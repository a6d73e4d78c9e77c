"""A history that begins with all of the last one goes on in its world; nobody else gets that world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagproof.histories import History, Step
from dagproof.inside.machine import ELSEWHERE
from tests.unit.laws.modelled import DATES, Here, ModelLab, Stores, model_lab

RUN, RERUN = Step("run", DATES[0]), Step("rerun", DATES[0])
CRASH = Step("crash", DATES[0], point="message 1")


def load(stores: Stores, here: Here) -> Iterator[None]:
    """Each run adds its rows again."""
    yield
    stores.add("out", stores.day(here.date))


@pytest.fixture
def played() -> list[str]:
    """The kinds of the steps that happened."""
    return []


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[str]) -> ModelLab:
    lab = model_lab(load, tmp_path)
    play = lab.states.stage.play

    def noted(world: Any, step: Step) -> Any:
        played.append(step.kind)
        return play(world, step)

    monkeypatch.setattr(lab.states.stage, "play", noted)
    return lab


def rows(lab: ModelLab, history: History) -> int:
    return len(lab.state(history).tables["out"].rows)


@pytest.mark.parametrize("first", [pytest.param(RUN, id="a run"), pytest.param(CRASH, id="a crash")])
def test_a_history_goes_on_where_the_last_one_ended(lab: ModelLab, played: list[str], first: Step) -> None:
    """What a crash has left is healed there, and not after a second crash like it."""
    lab.state((first,))
    assert rows(lab, (first, RERUN)) == (4 if first == RUN else 2)
    assert rows(lab, (first, RERUN, RERUN)) == (6 if first == RUN else 4)
    assert played == [first.kind, "rerun", "rerun"]


def test_a_history_that_begins_otherwise_begins_anew(lab: ModelLab, played: list[str]) -> None:
    """Nothing of the last one is there."""
    lab.state((RUN,))
    lab.state((CRASH,))
    assert rows(lab, (RUN, RERUN)) == 4
    assert played == ["run", "crash", "run", "rerun"]


def test_a_fresh_run_is_fresh(lab: ModelLab, played: list[str]) -> None:
    """Another one of the same date, and one on another machine, go on nowhere."""
    assert rows(lab, (RUN,)) == len(lab.state((RUN,), repeat=1).tables["out"].rows) == 2
    assert len(lab.state((RUN, RERUN), machine=ELSEWHERE).tables["out"].rows) == 4
    assert played == ["run", "run", "run", "rerun"]


def test_a_world_that_was_needed_elsewhere_stands_no_longer(lab: ModelLab, played: list[str]) -> None:
    """Whoever needs one destroys it."""
    lab.state((RUN,))
    lab.states._worlds.standing.clear()
    assert rows(lab, (RUN, RERUN)) == 4
    assert played == ["run", "run", "rerun"]
