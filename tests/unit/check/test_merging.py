"""What the source and what importing say, made into one list: what is known of loaded objects wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dagproof.cli import main
from dagproof.loaded.model import Event, LoadedDag, LoadedFile, LoadedTask, Schedule, Spot, Spots
from dagproof.rules import Finding, rule_named
from dagproof.rules.engine.merging import merged
from tests.unit.check.conftest import Project

PATH = "dags/a.py"
TASK = LoadedTask(
    **dict.fromkeys(("deferrable", "retries", "execution_timeout", "pool", "start_date", "end_date")),
    **dict.fromkeys(("awaits", "triggers")),
    task_id="group.wait",
    spots=(Spot(PATH, 5, 3, 6),),
    type="FileSensor",
    module="m",
    bases=(),
    mapped=False,
    sensor=True,
    given=frozenset({"timeout"}),
    mode="poke",
    defers=False,
    timeout=60.0,
    poke_interval=60.0,
    exponential_backoff=False,
    outlets=(),
    inlets=(),
    fields={},
)
SOURCE = Finding("poke-sensor", "DP301", Spot(PATH, 5, 3, 5), "it pokes", "d", "wait", certain=False)


def file_of(*tasks: LoadedTask, events: tuple[Event, ...] = ()) -> LoadedFile:
    """A loaded file with one DAG."""
    schedule = Schedule("NullTimetable", "", "UTC", (), False)
    dag = LoadedDag(
        "d", (Spot(PATH, 4),), frozenset({"dag_id"}), schedule, False, None, None, frozenset(), (), tasks, None
    )
    return LoadedFile(PATH, dags=(dag,), events=events)


def found(source: list[Finding], file: LoadedFile, rule: str = "poke-sensor") -> list[Finding]:
    """What one rule finds in both."""
    return merged(source, file, [rule_named(rule)])


def test_what_both_say_is_told_once_and_is_certain() -> None:
    """At the place of the source, with the ids of the loaded task."""
    assert found([SOURCE], file_of(TASK)) == [replace(SOURCE, task_id="group.wait", certain=True)]


@pytest.mark.parametrize(
    "change", [{"mode": "reschedule"}, {"deferrable": True}, {"defers": True}, {"sensor": False}], ids=str
)
def test_a_loaded_task_that_is_fine_clears_the_source(change: dict[str, Any]) -> None:
    """Certain or not: the object knows better."""
    assert found([replace(SOURCE, certain=True)], file_of(replace(TASK, **change))) == []


@pytest.mark.parametrize(
    "task", [replace(TASK, mapped=True, mode=None), replace(TASK, mode=None), replace(TASK, task_id="other", spots=())]
)
def test_what_the_loaded_task_cannot_tell_is_left_to_the_source(task: LoadedTask) -> None:
    """A mapped task whose class may still decide, a mode that is not there yet, another task."""
    assert SOURCE in found([SOURCE], file_of(task))


def test_what_is_made_at_one_place_is_told_once() -> None:
    """Three sensors of a loop."""
    tasks = [replace(TASK, task_id=name) for name in "abc"]
    (finding,) = found([], file_of(*tasks))
    assert (finding.line, finding.column, finding.end_line, finding.task_id) == (5, 3, 6, "a")
    assert finding.message.endswith("(and 2 more made here)")


def test_the_way_to_another_file_is_told() -> None:
    """At the last place in the DAG file, with what comes after it."""
    spots: Spots = (Spot(PATH, 2), Spot(PATH, 9), Spot("helper.py", 3), Spot(PATH, 30))
    (finding,) = found([], file_of(replace(TASK, spots=spots)))
    assert (finding.path, finding.line) == (PATH, 9)
    assert finding.via == (Spot("helper.py", 3), Spot(PATH, 30))


def test_an_event_is_told_unless_the_source_said_so() -> None:
    """On the same line, or at the same line of a helper."""
    event = Event("connect", "example.org:443", (Spot(PATH, 7),), refused=True, by_import=False)
    told = Finding("top-level-io", "DP101", Spot(PATH, 7, 1, 7), "it connects")
    assert found([told], file_of(events=(event,)), "top-level-io") == [told]
    assert len(found([replace(told, spot=Spot(PATH, 8, 1, 8))], file_of(events=(event,)), "top-level-io")) == 2
    far = replace(event, spots=(Spot(PATH, 7), Spot("helper.py", 1)))
    via = replace(told, spot=Spot(PATH, 1, 1, 1), via=(Spot("helper.py", 1),))
    assert found([via], file_of(events=(far,)), "top-level-io") == [via]


@pytest.mark.parametrize(("kind", "count"), [("write", 0), ("process", 0), ("connect", 1)])
def test_what_an_installed_module_does_while_it_is_imported_is_its_own_matter(kind: str, count: int) -> None:
    """But for connections, which are doubtful."""
    event = Event(kind, "x", (Spot(PATH, 7),), refused=False, by_import=True)
    findings = found([], file_of(events=(event,)), "top-level-io")
    assert [finding.certain for finding in findings] == [False] * count


def test_without_airflow_the_way_out_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence, with exit status 2."""
    project.write("a.py")
    monkeypatch.setattr("dagproof.loading.importlib.util.find_spec", lambda name: None)
    assert main(["check", "dags"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Airflow is not installed" in told.err
    assert "--no-import" in told.err
    assert told.err.count("\n") == 1
