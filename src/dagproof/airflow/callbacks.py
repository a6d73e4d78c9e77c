"""What the callbacks of a task or a DAG write is told apart from what the tasks write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dagproof.airflow import private
from dagproof.worlds.snapshot import save_after_task


def of_dag(dag: Any) -> list[str]:
    """Return the names of the callbacks that a DAG has."""
    return [name for name in ("on_success_callback", "on_failure_callback") if getattr(dag, name, None)]


def watcher(watch: dict[str, Any] | None) -> Callable[[dict[str, Any]], None]:
    """Return what takes a snapshot after each task's try, with its callbacks, where the request says so."""
    if watch is None:
        return lambda outcome: None
    of = watch.get("of", "")  # the DAG, where it is not the one under proof
    return lambda outcome: save_after_task(watch, outcome["task_id"] + of, outcome["map_index"])


@contextmanager
def told_apart(watch: dict[str, Any] | None) -> Iterator[None]:
    """Take a snapshot between a task's work and its callbacks, too, where it has any."""
    if watch is None:
        yield
        return
    original, of = private.run_callbacks, watch.get("of", "")

    def run(task: Any, kind: str, *args: Any, **kwargs: Any) -> Any:
        if not getattr(task, kind, None):
            return original(task, kind, *args, **kwargs)
        save_after_task(watch, task.task_id + of, -1)
        result = original(task, kind, *args, **kwargs)
        save_after_task(watch, f"{kind} of task {task.task_id}{of}", -1)
        return result

    with private.patched(run_callbacks=run):
        yield
