"""Tasks that the configuration takes out of a run: they do nothing and succeed, or a function is called in their place.

Only the work of the task is replaced. Its place in the DAG, its retries, callbacks, XComs and asset events stay.
"""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from dagproof.airflow import private
from dagproof.config import SKIP
from dagproof.errors import DagproofError, nearest

#: What operators have that do more with what their function returns than to hand it on: they branch, or end the run.
_JUDGES = ("do_branch", "ignore_downstream_trigger_rules", "choose_branch")


@contextmanager
def without_tasks(dag: Any, instead: Mapping[str, str]) -> Iterator[None]:
    """Let the tasks that match the patterns of `instead` do what it says: ``skip``, or ``/path/file.py:function``."""
    if not instead:
        yield
        return
    original = private.execute_task
    for task in dag.task_dict.values():
        if instead_of(task.task_id, instead) == SKIP and not hasattr(task, "partial_kwargs"):
            task.template_fields = ()  # they may speak of connections and variables that nobody has here

    def execute(*args: Any, **kwargs: Any) -> Any:
        ti = kwargs.get("ti") or args[1]
        what = instead_of(ti.task_id, instead)
        if what is not None:
            _replace(ti.task, what)
        return original(*args, **kwargs)

    with private.patched(execute_task=execute):
        yield


def _replace(task: Any, what: str) -> None:
    """Replace what a task does; of an operator that judges the result of its function, just the function."""
    if what == SKIP:
        task.execute = lambda context: None
        task.resume_execution = lambda *args, **kwargs: None  # of one that begins with its trigger
        return
    function = _function(what)
    if any(hasattr(task, name) for name in _JUDGES) and hasattr(task, "python_callable"):
        task.python_callable = lambda *values, **named: _call(function, values, named)
        return

    def execute(context: Any) -> Any:
        return _call(function, getattr(task, "op_args", ()), {**context, **getattr(task, "op_kwargs", {})})

    task.execute = execute


def instead_of(task_id: str, instead: Mapping[str, str]) -> str | None:
    """Return what happens in the place of a task; None for a task that runs as it is."""
    return next((what for pattern, what in instead.items() if fnmatchcase(task_id, pattern)), None)


def _function(place: str) -> Callable[..., Any]:
    path, _, name = place.rpartition(":")
    found = runpy.run_path(path, run_name="dagproof_task")
    if not callable(found.get(name)):
        functions = [key for key, value in found.items() if inspect.isfunction(value)]
        raise DagproofError(f"{path} has no function {name!r}{nearest(name, functions)}")
    return found[name]  # type: ignore[no-any-return]  # it is callable


def _call(function: Callable[..., Any], values: Any, named: Mapping[str, Any]) -> Any:
    """Call a function with those arguments that it has a parameter for: the task's own, and Airflow's context."""
    parameters = inspect.signature(function).parameters.values()
    kinds = {parameter.kind for parameter in parameters}
    wants_all = inspect.Parameter.VAR_KEYWORD in kinds
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    given = dict(zip((name for name in positional if name not in named), values, strict=False))
    names = {parameter.name for parameter in parameters}
    return function(**{name: value for name, value in {**named, **given}.items() if wants_all or name in names})
