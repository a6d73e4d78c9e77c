"""How a run ended: it succeeded when no task of it failed, but for those that may."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from fnmatch import fnmatchcase
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

from dagproof.airflow.frames import UserCode
from dagproof.airflow.lookups import no_environment
from dagproof.inside.exchange import Failure, TaskRun, TaskState

FAILED = ("failed", "upstream_failed")
#: States in which a task is when a run has come to its end.
FINISHED = (*FAILED, "success", "skipped", "removed")

CALLBACKS_OF_DAGS = ("on_success_callback", "on_failure_callback")
CALLBACKS_OF_TASKS = ("on_execute_callback", "on_retry_callback", "on_skipped_callback", *CALLBACKS_OF_DAGS)
Note = Callable[[str, str], object]

#: PostgreSQL's ``LINE 1: SELECT …`` with the caret below it, and what SQLAlchemy says of the statement.
_STATEMENT = re.compile(r"\nLINE \d+: [^\n]*\n *\^|\n\[SQL:.*", re.DOTALL)


def judged(dag_run: str, states: Sequence[TaskState], may_fail: Iterable[str]) -> str:
    """Return the state of a run whose DAG run ended as `dag_run`, and its task instances in these `states`.

    Airflow goes by the last tasks alone: a run is green when a clean-up with the trigger rule ``all_done`` succeeds,
    whatever failed before it. And it is red when nothing failed but a task that may.
    """
    failed = [state for state in states if state.state in FAILED]
    if any(not is_wanted(state.task_id, may_fail) for state in failed):
        return "failed"
    if dag_run == "failed" and failed and all(state.state in FINISHED for state in states):
        return "success"
    return dag_run


def failures(states: Iterable[TaskState], tries: Sequence[TaskRun], may_fail: Iterable[str]) -> tuple[Failure, ...]:
    """Return each task that failed, in the order in which they did, with what its last try says.

    Those that did not run because others failed come last.
    """
    turns = {(one.task_id, one.map_index): n for n, one in enumerate(tries)}
    found = []
    for state in states:
        if state.state in FAILED:
            turn = turns.get((state.task_id, state.map_index), len(tries))
            error, raised = (tries[turn].error, tries[turn].raised) if turn < len(tries) else (None, None)
            wanted = is_wanted(state.task_id, may_fail)
            found.append((turn, Failure(state.task_id, state.map_index, state.state, error, raised, wanted)))
    return tuple(failure for _, failure in sorted(found, key=lambda entry: entry[0]))


def is_wanted(task_id: str, may_fail: Iterable[str]) -> bool:
    """Tell whether the configuration lets a task fail."""
    return any(fnmatchcase(task_id, pattern) for pattern in may_fail)


def describe(error: BaseException) -> str:
    """Return the error in one line, without the SQL that PostgreSQL quotes in it and that SQLAlchemy appends."""
    detail = getattr(error, "detail", None)  # what Airflow's API says, which the error's own text leaves out
    if isinstance(detail, dict) and detail.get("message"):
        return f"{type(error).__name__}: {detail['message']}"
    if (name := _unset(error)) is not None:
        return f"KeyError: {no_environment(name)}"
    text = " ".join(_STATEMENT.sub("", str(error)).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _unset(error: BaseException) -> str | None:
    """Return the name of the environment variable for want of which code has failed; None for another error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    is_lookup = trace is not None and trace.tb_frame.f_code is type(os.environ).__getitem__.__code__
    return str(error.args[0]) if is_lookup and isinstance(error, KeyError) and error.args else None


def raised_at(error: BaseException) -> str | None:
    """Return ``file.py:line`` of the last line of the user's own code that the error went through."""
    folders = [os.environ.get("AIRFLOW__CORE__DAGS_FOLDER", ""), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    places = UserCode([folder for folder in folders if folder]).chain_of_error(error.__traceback__)
    return f"{places[-1]['path']}:{places[-1]['line']}" if places else None


def watch_callbacks(dag: Any, note: Note) -> None:
    """Have each callback of `dag` and its tasks that fails noted, by its name and with its error.

    Airflow logs that and goes on, so that the run is green all the same.
    """
    for name in CALLBACKS_OF_DAGS:
        _watch(vars(dag), name, f"the {name} of the DAG", note)
    for task in dag.task_dict.values():
        # a mapped operator: its tasks are made from these when they run
        values = task.partial_kwargs if hasattr(task, "partial_kwargs") else vars(task)
        for name in CALLBACKS_OF_TASKS:
            _watch(values, name, f"the {name} of {task.task_id}", note)


def _watch(values: MutableMapping[str, Any], name: str, what: str, note: Note) -> None:
    given = values.get(name)
    if callable(given):
        values[name] = _watched(given, what, note)
    elif isinstance(given, Iterable):
        values[name] = type(given)(_watched(one, what, note) for one in given)  # type: ignore[call-arg]  # a list


def _watched(callback: Any, what: str, note: Note) -> Any:
    if not callable(callback) or isgeneratorfunction(callback):
        return callback

    @wraps(callback, updated=())
    def watched(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except Exception as error:
            note(what, describe(error))
            raise

    return watched
