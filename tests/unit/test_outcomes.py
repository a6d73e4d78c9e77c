"""A run has succeeded when none of its tasks failed, but for those that may."""

from __future__ import annotations

import pytest

from dagproof.airflow.outcomes import failures, judged
from dagproof.inside.exchange import TaskRun, TaskState


def states(**of_tasks: str | None) -> list[TaskState]:
    """The state of some tasks, each of one instance."""
    return [TaskState(name, -1, state, 1) for name, state in of_tasks.items()]


def tried(task_id: str, error: str, raised: str | None) -> TaskRun:
    """A try that failed."""
    return TaskRun(task_id, -1, 1, "failed", None, error, raised, started=0.0, ended=1.0, begun="", over="")


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
        tried("b", "E: once", "b.py:1"),
        tried("b", "E: twice", "b.py:2"),
        tried("a", "E", None),
    ]
    found = failures(states(after="upstream_failed", a="failed", b="failed", c="success"), tasks, ("a",))
    assert [(one.task_id, one.error, one.raised, one.wanted) for one in found] == [
        ("b", "E: twice", "b.py:2", False),
        ("a", "E", None, True),
        ("after", None, None, False),
    ]
