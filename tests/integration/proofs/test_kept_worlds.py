"""A world that is kept: DAG files change while its rows and runs stay, and each run says what became of its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from dagproof.config import Config, WorldConfig
from dagproof.histories import Step
from dagproof.inside.exchange import RunReport
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.runs.driver import Driver, open_driver
from dagproof.runs.stage import Stage
from dagproof.worlds.failing import RunFailedError
from dagproof.worlds.worlds import SavedWorld

DATE = "2026-01-01"
DAG = """
import os
import time
from pathlib import Path

import pendulum
from airflow.sdk import dag, task

import helper


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def changing():
    @task.short_circuit
    def ask():
        time.sleep(600)
        return {goes_on}

    @task
    def write():
        with Path(os.environ["DATA_ROOT"], "seen.txt").open("a") as file:
            file.write(helper.WORD)
        assert helper.WORD != "fails"

    ask() >> write()


changing()
"""


class Kept:
    """A driver of a folder whose files change, and the world that is kept."""

    def __init__(self, driver: Driver, folder: Path) -> None:
        self.driver, self.folder = driver, folder
        self.saved: SavedWorld | None = None

    def write(self, word: str, *, goes_on: bool = True, task: str = "write") -> None:
        (self.folder / "helper.py").write_text(f"WORD = {word!r}\n")
        text = DAG.format(goes_on=goes_on).replace("def write", f"def {task}").replace("write()", f"{task}()")
        (self.folder / "changing.py").write_text(text)
        self.driver.reload()

    def play(self, kind: str) -> RunReport:
        """Let a step happen in the world that was kept, with the DAG as it is now; return the report."""
        driver = self.driver
        lab = driver.lab("changing", [DATE])
        if self.saved:
            driver.write_to(self.saved.metadata, ["changing"])
        with driver.worlds.world(driver.worker(HERE), self.saved) as world:
            try:
                report = Stage(driver, "changing", lab.runs).play(world, Step(kind, DATE))
            except RunFailedError as failure:
                report = failure.report
            self.saved = driver.worlds.save(world)
        return report

    def seen(self) -> str:
        assert self.saved is not None
        return (self.saved.folder / "world" / "files" / "seen.txt").read_text()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    root = tmp_path_factory.mktemp("kept")
    (root / "dags").mkdir()
    config = Config(root=root, pythonpath=("dags",), world=WorldConfig(env={"DATA_ROOT": "{files}"}, timeout=60))
    with open_driver(config) as driver:
        yield Kept(driver, root / "dags")


def test_a_changed_dag_meets_the_world_that_the_old_one_left(kept: Kept) -> None:
    """Also where what it imports has changed; a rerun then does what is written now."""
    kept.write("one ")
    assert kept.play("run").state == "success"
    kept.write("two ")
    assert kept.play("rerun").state == "success"
    assert kept.seen() == "one two "


def test_a_run_tells_what_became_of_each_task(kept: Kept) -> None:
    """Those that never ran included, and when each ran in the world's time."""
    kept.write("three ", goes_on=False)
    report = kept.play("rerun")
    assert {one.task_id: one.state for one in report.states} == {"ask": "success", "write": "skipped"}
    (ask,) = report.tasks
    length = datetime.fromisoformat(ask.over) - datetime.fromisoformat(ask.begun)
    assert 600 <= length.total_seconds() < 660


def test_a_failed_run_has_its_report(kept: Kept) -> None:
    """The error carries it."""
    kept.write("fails")
    report = kept.play("rerun")
    assert report.state == "failed"
    assert {one.task_id: one.state for one in report.states} == {"ask": "success", "write": "failed"}


def test_a_machine_that_joins_knows_what_was_loaded(kept: Kept) -> None:
    """As the first one does."""
    kept.write("four ")
    lab = kept.driver.lab("changing", [DATE])
    kept.driver.join(ELSEWHERE)
    there = lab.state((Step("run", DATE),), machine=ELSEWHERE)
    assert there.files["seen.txt"].content == b"four "


def test_a_task_that_was_written_just_now_is_run(kept: Kept) -> None:
    """Airflow writes a DAG to its database only every 30 seconds, unless it is told otherwise."""
    for task in ("write", "put", "add"):
        kept.write("five ", task=task)
        lab = kept.driver.lab("changing", [DATE])
        report = lab.report((Step("run", DATE),))
        assert {one.task_id: one.state for one in report.states} == {"ask": "success", task: "success"}
