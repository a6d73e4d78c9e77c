"""What the callbacks of a task or a DAG write is told apart from what the tasks write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagproof.airflow import private
from dagproof.inside.exchange import TaskRun, Watch
from dagproof.stores.snapshot import save_after_task, take


def of_dag(dag: Any) -> list[str]:
    """Return the names of the callbacks that a DAG has."""
    return [name for name in ("on_success_callback", "on_failure_callback") if getattr(dag, name, None)]


def watcher(watch: Watch | None) -> Callable[[TaskRun], None]:
    """Return what takes a snapshot after each task's try, with its callbacks, where the request says so."""
    if watch is None:
        return lambda outcome: None
    return lambda outcome: _save(watch, outcome.task_id + watch.of, outcome.map_index)


@contextmanager
def told_apart(watch: Watch | None) -> Iterator[None]:
    """Take a snapshot between a task's work and its callbacks, too, where it has any."""
    if watch is None:
        yield
        return
    original = private.run_callbacks

    def run(task: Any, kind: str, *args: Any, **kwargs: Any) -> Any:
        if not getattr(task, kind, None):
            return original(task, kind, *args, **kwargs)
        _save(watch, task.task_id + watch.of, -1)
        result = original(task, kind, *args, **kwargs)
        _save(watch, f"{kind} of task {task.task_id}{watch.of}", -1)
        return result

    with private.patched(run_callbacks=run):
        yield


def _save(watch: Watch, who: str, map_index: int) -> None:
    now = take(watch.databases, Path(watch.files), Path(watch.home), run_is_over=False, scratch=watch.scratch)
    save_after_task(Path(watch.into), who, map_index, now)
