"""Waiting takes no time: it is the clock that moves, and as far as it would have."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dagproof.config import Config, WorldConfig
from dagproof.histories import Step
from dagproof.runs.driver import open_driver
from dagproof.runs.lab import Lab
from dagproof.worlds.failing import RunFailedError

DATE = "2026-01-01"
RUN = (Step("run", DATE),)
DAY = 24 * 60

LabOf = Callable[[str], Lab]


@pytest.fixture(scope="module")
def lab_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabOf]:
    """A lab for each of the DAGs that wait; without a database."""
    dags = str(Path(__file__).parent / "waiting")
    config = Config(root=tmp_path_factory.mktemp("waiting"), dags=dags, world=WorldConfig(timeout=60))
    with open_driver(config) as driver:
        yield lambda name: driver.lab(f"waits_{name}", [DATE])


def seen(lab: Lab) -> list[dict[str, Any]]:
    """What the run has noted."""
    content = lab.state(RUN).files["seen.jsonl"].content or b""
    return [json.loads(line) for line in content.splitlines()]


def failure(lab: Lab, history: tuple[Step, ...] = RUN) -> str:
    """Why the run fails."""
    with pytest.raises(RunFailedError) as raised:
        lab.state(history)
    return str(raised.value)


@pytest.mark.parametrize("name", ["for_a_day", "in_poke_mode"])
def test_a_sensor_looks_a_few_times_in_a_day(name: str, lab_of: LabOf) -> None:
    """At doubling distances, and it finds what is there after 24 hours; 1,440 looks would take minutes."""
    looks = seen(lab_of(name))
    assert [look["found"] for look in looks] == [False] * (len(looks) - 1) + [True]
    assert len(looks) < 16
    assert DAY <= looks[-1]["minute"] <= 2 * DAY
    assert [look["minute"] for look in looks[:4]] == [0, 1, 2, 4]


@pytest.mark.parametrize(("name", "held"), [("for_a_day", 0), ("in_poke_mode", DAY)])
def test_who_waits_in_poke_mode_holds_a_slot(name: str, held: int, lab_of: LabOf) -> None:
    """For as long as it waits; who is rescheduled holds it for the looks alone."""
    minutes = lab_of(name).report(RUN).slots["wait"] / 60
    assert held <= minutes <= held * 2 + 1


@pytest.mark.parametrize("name", ["too_long", "too_long_in_poke_mode"])
def test_a_sensor_times_out_when_it_said(name: str, lab_of: LabOf) -> None:
    """After three hours: it never looks much past its own timeout."""
    told = failure(lab_of(name))
    assert "AirflowSensorTimeout" in told
    assert "run duration of 10" in told or "run duration of 11" in told  # seconds: three hours, and one more look


def test_a_deferred_task_is_resumed_when_its_trigger_fires(lab_of: LabOf) -> None:
    """A day later, with the event, and without a slot meanwhile."""
    lab = lab_of("deferred")
    assert seen(lab) == [
        {"what": "defer", "minute": 0},
        {"what": "resumed", "minute": DAY, "event": {"slept": 24}},
    ]
    assert lab.report(RUN).slots["wait"] < 60


def test_a_trigger_may_ask_in_a_thread(lab_of: LabOf) -> None:
    """The clock does not jump to the deadline while ``sync_to_async`` works, as in Airflow's own triggers."""
    assert seen(lab_of("for_a_thread"))[1:] == [{"what": "resumed", "minute": 0, "event": {"slept": 0}}]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("for_ever_with_a_timeout", "Trigger timeout", id="its-deadline"),
        pytest.param("for_a_broken_trigger", "Trigger failure", id="it-fails"),
        pytest.param("for_ever", "a deferred task waits for an event that never comes", id="no-deadline"),
    ],
)
def test_a_trigger_that_never_fires_ends(name: str, reason: str, lab_of: LabOf) -> None:
    """At its deadline, as the scheduler ends it; without one that is said at once."""
    assert reason in failure(lab_of(name))


def test_retries_are_made_when_they_are_due(lab_of: LabOf) -> None:
    """Eight hours apart each."""
    tries = seen(lab_of("between_retries"))
    assert [one["number"] for one in tries] == [1, 2, 3, 4]
    assert [round(one["minute"] / 60) for one in tries] == [0, 8, 16, 24]


def test_a_task_that_sleeps_is_awake_at_once(lab_of: LabOf) -> None:
    """A day later."""
    assert seen(lab_of("asleep")) == [{"what": "awake", "minute": DAY}]


def test_a_task_that_sleeps_past_its_execution_timeout_is_stopped(lab_of: LabOf) -> None:
    """The alarm rings when the clock passes it."""
    assert "AirflowTaskTimeout" in failure(lab_of("asleep_too_long"))


def test_a_late_run_is_called_so(lab_of: LabOf) -> None:
    """In the reason why it failed."""
    told = failure(lab_of("asleep_too_long"), (Step("late", DATE, delay=3600),))
    assert told.startswith(f"the late run of waits_asleep_too_long for {DATE} failed in task ")


def test_a_day_of_waiting_takes_less_than_the_runs_time_limit(lab_of: LabOf) -> None:
    """What it costs is measured in benchmarks/; here, that nobody really waits."""
    lab = lab_of("for_a_day")
    started = time.perf_counter()
    report = lab.report(RUN)
    assert report.skipped >= 24 * 3600
    assert time.perf_counter() - started < 60
