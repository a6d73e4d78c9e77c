"""A run has succeeded when none of its tasks failed, but for those that may."""

from __future__ import annotations

from typing import Any

import pytest

from dagproof.airflow.outcomes import failures, judged


def states(**of_tasks: str | None) -> list[dict[str, Any]]:
    """The state of some tasks, each of one instance."""
    return [{"task_id": name, "map_index": -1, "state": state} for name, state in of_tasks.items()]


@pytest.mark.parametrize(
    ("dag_run", "of_tasks", "may_fail", "state"),
    [
        pytest.param("success", {"a": "success", "b": "skipped"}, (), "success", id="skipped"),
        pytest.param("success", {"a": "failed", "b": "success"}, (), "failed", id="green-with-a-failure"),
        pytest.param("success", {"a": "upstream_failed", "b": "success"}, (), "failed", id="did-not-run"),
        pytest.param("success", {"a": "failed", "b": "success"}, ("a",), "success", id="green-and-wanted"),
        pytest.param("failed", {"a": "success", "b": "failed"}, ("b",), "success", id="red-and-wanted"),
        pytest.param("failed", {"a": "failed", "b": "failed"}, ("b",), "failed", id="another-one"),
        pytest.param("failed", {"a": "failed", "b": "upstream_failed"}, ("a",), "failed", id="what-comes-after"),
        pytest.param("failed", {"n_a": "failed", "n_b": "upstream_failed"}, ("n_*",), "success", id="pattern"),
        pytest.param("failed", {"a": "failed", "b": None}, ("a",), "failed", id="not-at-its-end"),
        pytest.param("failed", {"a": "success"}, ("*",), "failed", id="failed-without-a-task"),
        pytest.param("running", {"a": None}, ("*",), "running", id="stuck"),
    ],
)
def test_how_a_run_ended(dag_run: str, of_tasks: dict[str, str | None], may_fail: tuple[str, ...], state: str) -> None:
    """By all of its tasks, where Airflow goes by the last ones."""
    assert judged(dag_run, states(**of_tasks), may_fail) == state


def test_failures_come_in_the_order_in_which_they_happened() -> None:
    """With the error of the last try; what did not run comes last."""
    tasks = [
        {"task_id": "b", "map_index": -1, "error": "E: once", "raised": "b.py:1"},
        {"task_id": "b", "map_index": -1, "error": "E: twice", "raised": "b.py:2"},
        {"task_id": "a", "map_index": -1, "error": "E", "raised": None},
    ]
    found = failures(states(after="upstream_failed", a="failed", b="failed", c="success"), tasks, ("a",))
    assert [(one["task_id"], one["error"], one["raised"], one["wanted"]) for one in found] == [
        ("b", "E: twice", "b.py:2", False),
        ("a", "E", None, True),
        ("after", None, None, False),
    ]
