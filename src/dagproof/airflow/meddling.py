"""What a step changes about a run: how often its tasks may be tried, a worker that is lost, a poke that fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dagproof.airflow import private
from dagproof.inside.exchange import FileOperation, Retries
from dagproof.inside.plans import PokePlan

STOPPED = "the run was stopped before the task (injected by dagproof)"
LOST = "the worker was lost after the task had done its work (injected by dagproof)"


class WorkerLostError(Exception):
    """The task did its work, and then its worker was lost: what a task fails with that is made to be retried."""


def set_retries(dag: Any, wanted: Retries) -> None:
    """Give each task of `dag` at least as many retries as are wanted, and at most as many."""
    for task in dag.task_dict.values():
        retries = max(wanted.least, task.retries if wanted.most is None else min(task.retries, wanted.most))
        if hasattr(task, "partial_kwargs"):  # a mapped operator: its tasks are made from these when they run
            task.partial_kwargs["retries"] = retries
        else:
            task.retries = retries


@contextmanager
def stopped_before(task_id: str) -> Iterator[None]:
    """Let a task fail before it does anything, as in a run that has not come that far."""
    original = private.execute_task

    def execute(*args: Any, **kwargs: Any) -> Any:
        if (kwargs.get("ti") or args[1]).task_id == task_id:
            raise WorkerLostError(STOPPED)
        return original(*args, **kwargs)

    with private.patched(execute_task=execute):
        yield


@contextmanager
def losing_workers(only: str) -> Iterator[None]:
    """Let each task instance fail once after it has done its work (those of the task `only`, where it names one).

    A sensor does no work, and one that skips or defers is not done with it.
    """
    original, handle_trigger = private.execute_task, private.handle_trigger_dag_run
    lost: set[tuple[str, int]] = set()

    def loses(ti: Any) -> bool:
        instance = (str(ti.task_id), int(ti.map_index))
        if instance in lost or only not in ("", instance[0]) or getattr(ti.task, "_is_sensor", False):
            return False
        lost.add(instance)
        return True

    def execute(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if loses(kwargs.get("ti") or args[1]):
            raise WorkerLostError(LOST)
        return result

    def trigger(drte: Any, context: Any, ti: Any, log: Any) -> Any:
        """What an operator that triggers a run does comes after its `execute`, which ends in an exception."""
        message, state = handle_trigger(drte, context, ti, log)
        if str(getattr(state, "value", state)) == "success" and loses(ti):
            return private.task_failed(ti, WorkerLostError(LOST), log, context)
        return message, state

    with private.patched(execute_task=execute, handle_trigger_dag_run=trigger):
        yield


class Pokes:
    """Counts the pokes of sensors and the waits of triggers, from 1, and lets fail what is planned."""

    def __init__(self, plan: PokePlan | None, task: Callable[[], str]) -> None:
        self._plan = plan
        self._task = task
        self.seen: list[FileOperation] = []
        """What happened so far."""

    def note(self, what: str) -> None:
        """Note that a sensor or trigger is about to look.

        Raises:
            OSError: what it asks does not answer.
        """
        self.seen.append(FileOperation(what, self._task()))
        plan = self._plan
        if plan and (len(self.seen) == plan.at or (plan.lasts and len(self.seen) > plan.at)):
            raise OSError(plan.error, os.strerror(plan.error))

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note each poke of a sensor that is executed within the block."""
        original = private.execute_task

        def execute(*args: Any, **kwargs: Any) -> Any:
            sensor = (kwargs.get("ti") or args[1]).task
            if not getattr(sensor, "_is_sensor", False):
                return original(*args, **kwargs)
            with self._counted(sensor):
                return original(*args, **kwargs)

        with private.patched(execute_task=execute):
            yield

    @contextmanager
    def _counted(self, sensor: Any) -> Iterator[None]:
        """Note each poke of one sensor; one that is rescheduled is executed many times."""
        poke, own = sensor.poke, vars(sensor).get("poke")

        def poking(context: Any) -> Any:
            self.note(f"a poke of {sensor.task_id}")
            return poke(context)

        object.__setattr__(sensor, "poke", poking)
        try:
            yield
        finally:
            if own is None:
                object.__delattr__(sensor, "poke")
            else:
                object.__setattr__(sensor, "poke", own)
