"""At which points of a run it is worth being killed, and after which losing the reply."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dagproof.inside.exchange import FileOperation, RunReport, TaskRun
from dagproof.postgres.wire import Message
from dagproof.runs.points import Point, recorded, thinned

LOAD = TaskRun("load", -1, 1, "success", None, None, None, started=0.0, ended=100.0, begun="", over="")
REPORT = RunReport(files=(FileOperation("write a.csv", "load"),), tasks=(LOAD,))


def points_of(*statements: str) -> list[str]:
    """Return the points of a run that sends these statements on one connection."""
    messages = [
        Message(index, "Query", text, 1, "shop", len(text), float(index))
        for index, text in enumerate(statements, start=1)
    ]
    lane = SimpleNamespace(watch=lambda: SimpleNamespace(messages=messages), clear=lambda: None)
    worlds = SimpleNamespace(stores_of_files={}, named_places=lambda machine: {})
    worker = SimpleNamespace(machine=None, count_connects=lambda connects: None)
    world: Any = SimpleNamespace(worlds=worlds, worker=worker, lane=lambda: lane)
    with recorded(world) as run:
        found, _ = run.points(REPORT)
    return [point.name for point in found]


@pytest.mark.parametrize(
    ("statements", "replies"),
    [
        pytest.param(("BEGIN", "DELETE FROM a", "INSERT INTO a VALUES (1)", "COMMIT"), ["reply 4"], id="transaction"),
        pytest.param(("DELETE FROM a", "INSERT INTO a VALUES (1)"), ["reply 1", "reply 2"], id="autocommit"),
    ],
)
def test_a_reply_is_lost_where_something_is_committed(statements: tuple[str, ...], replies: list[str]) -> None:
    """Within a transaction the server forgets everything when the connection breaks."""
    assert [name for name in points_of(*statements) if name.startswith("reply")] == replies


def test_file_operations_are_points_too() -> None:
    """They come after the messages."""
    assert points_of("DELETE FROM a")[-1] == "file 1"


@pytest.mark.parametrize("most", [1, 2, 5, 7])
def test_of_many_points_the_first_and_the_last_are_tried(most: int) -> None:
    """And as many as were asked for."""
    points = [Point("message", number) for number in range(1, 101)]
    found = thinned(points, most)
    assert len(found) == most
    assert found[0] == points[0]
    assert most == 1 or found[-1] == points[-1]


def test_few_points_are_all_tried() -> None:
    """None is left out where nobody asks for fewer."""
    points = [Point("message", number) for number in range(1, 9)]
    assert thinned(points, 8) == thinned(points, 20) == points
