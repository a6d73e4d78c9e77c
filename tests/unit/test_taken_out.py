"""What happens in the place of a task that the configuration takes out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagproof.airflow.taken_out import _replace, instead_of
from dagproof.errors import DagproofError

CONTEXT = {"ds": "2026-01-01", "ti": "the task instance", "params": {}}


def replaced(tmp_path: Path, function: str, **task: Any) -> Any:
    """A task whose work is replaced by a function `answer`."""
    (tmp_path / "stubs.py").write_text(function)
    operator = SimpleNamespace(execute=lambda context: "the real thing", **task)
    _replace(operator, f"{tmp_path / 'stubs.py'}:answer")
    return operator


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        pytest.param("def answer(): return 1", 1, id="nothing"),
        pytest.param("def answer(ds, ti): return ds, ti", ("2026-01-01", "the task instance"), id="context"),
        pytest.param("def answer(day, ds): return day, ds", ("monday", "2026-01-01"), id="arguments-by-place"),
        pytest.param("def answer(rows): return rows", [1], id="arguments-by-name"),
        pytest.param("def answer(**all): return sorted(all)", ["ds", "params", "rows", "ti"], id="everything"),
    ],
)
def test_a_function_gets_what_it_has_parameters_for(tmp_path: Path, function: str, answer: Any) -> None:
    """Of the task's own arguments and of Airflow's context."""
    task = replaced(tmp_path, function, op_args=("monday",), op_kwargs={"rows": [1]})
    assert task.execute(CONTEXT) == answer


def test_a_task_that_judges_keeps_its_judgement(tmp_path: Path) -> None:
    """Of a branching task just the function is replaced: where to go on is still Airflow's affair."""
    task = replaced(tmp_path, "def answer(ds): return 'left' + ds", do_branch=None, python_callable=None)
    assert task.execute(CONTEXT) == "the real thing"
    assert task.python_callable(ds="2026-01-01", ti=None) == "left2026-01-01"


def test_a_task_that_is_skipped_does_nothing() -> None:
    """Also one that begins with its trigger."""
    task = SimpleNamespace(execute=lambda context: "the real thing")
    _replace(task, "skip")
    assert task.execute(CONTEXT) is None
    assert task.resume_execution(next_method="x") is None


def test_a_function_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the one that was meant."""
    with pytest.raises(DagproofError) as raised:
        replaced(tmp_path, "def answers(): return 1")
    assert str(raised.value) == f"{tmp_path / 'stubs.py'} has no function 'answer'; did you mean 'answers'?"


def test_patterns_name_several_tasks() -> None:
    """The first that matches counts."""
    instead = {"notify_*": "skip", "fetch": "stubs.py:answer"}
    assert [instead_of(task, instead) for task in ("notify_me", "fetch", "load")] == ["skip", "stubs.py:answer", None]
