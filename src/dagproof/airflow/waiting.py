"""Waiting that takes no time: retries, sensors and deferred tasks jump to the next moment at which something is due."""

from __future__ import annotations

import asyncio
import math
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from dagproof.airflow import private, schedule
from dagproof.airflow.scheduled import moment
from dagproof.errors import DagproofError
from dagproof.inside.clock import Clock
from dagproof.inside.exchange import PlannedRun, TaskState

#: How often in a row a run may have nothing to do, and nothing due either, before it is called stuck.
MAX_IDLE_ROUNDS = 5
#: Real seconds in which a trigger's network traffic may answer before its clock jumps.
PATIENCE = 0.2


class StuckError(DagproofError):
    """No task of the run can ever start."""


class RunInProgress:
    """A run in progress: executes it, knows what it waits for, and how long each task held a worker slot."""

    def __init__(self, dag: Any, run_id: str) -> None:
        self.dag, self.run_id = dag, run_id
        self.clock: Clock | None = None
        self.slots: dict[str, float] = {}
        """Virtual seconds for which each task held a worker slot."""
        self.note_wait: Callable[[str], None] = lambda what: None
        """Called before a trigger waits; what it raises is the trigger's error."""
        self.reason: str | None = None
        """Why it cannot go on, where dagproof is who says so."""
        self._is_task_running = False
        self._idle_rounds = 0

    def execute(self, planned: PlannedRun) -> str:
        """Run it to its end; return the state it ended in."""
        logical_date, run_after = moment(planned.logical_date), moment(planned.run_after)
        state = self.dag.test(logical_date=logical_date, run_after=run_after).state
        return str(getattr(state, "value", state))

    @contextmanager
    def task(self, task_id: str) -> Iterator[None]:
        """Around the time in which a task holds a worker slot."""
        started = time.monotonic()
        self._is_task_running = True
        try:
            yield
        finally:
            self._is_task_running = False
            self.slots[task_id] = self.slots.get(task_id, 0.0) + time.monotonic() - started

    def next_due(self) -> datetime | None:
        """Return when the next retry or rescheduled sensor is due; None while a task is running (it sleeps itself)."""
        if self._is_task_running:
            return None
        state = private.TaskInstanceState
        with private.create_session() as session:
            tis = self._task_instances(session)
            due = [self._retry_date(ti) for ti in tis if ti.state == state.UP_FOR_RETRY]
            due += [_reschedule_date(ti, session) for ti in tis if ti.state == state.UP_FOR_RESCHEDULE]
            waiting = sorted(ti.task_id for ti in tis if ti.state is None)
        known = [moment for moment in due if moment is not None]
        self._idle_rounds = 0 if known else self._idle_rounds + 1
        if self._idle_rounds > MAX_IDLE_ROUNDS:
            who = f"{waiting[0]} waits" if len(waiting) == 1 else f"{', '.join(waiting) or 'all'} wait"
            raise StuckError(
                f"no task of the run can start: {who} for something that never happens (an unmet depends_on_past, "
                "or human input); let a function answer instead of a person with tasks in [tool.dagproof.proofs.DAG_ID]"
            )
        return min(known) if known else None

    def states(self) -> tuple[TaskState, ...]:
        """Return what became of each task, those that never started included."""
        with private.create_session() as session:
            states = [(ti.task_id, ti.map_index, ti.state, ti.try_number) for ti in self._task_instances(session)]
        return tuple(
            TaskState(task_id, index, str(getattr(state, "value", state)) if state else None, number)
            for task_id, index, state, number in sorted(states, key=lambda known: known[:2])
        )

    def _task_instances(self, session: Any) -> list[Any]:
        from sqlalchemy import select

        TaskInstance = private.TaskInstance  # noqa: N806 - it is a class
        mine = select(TaskInstance).where(TaskInstance.dag_id == self.dag.dag_id, TaskInstance.run_id == self.run_id)
        return list(session.scalars(mine))

    def _retry_date(self, ti: Any) -> datetime | None:
        ti.task = self._scheduler_dag.task_dict[ti.task_id]
        return ti.next_retry_datetime()  # type: ignore[no-any-return]

    @cached_property
    def _scheduler_dag(self) -> Any:
        """By which retries are timed: the file's ``retry_exponential_backoff=True`` is a factor of two there."""
        return schedule.scheduler_dag(self.dag)


@contextmanager
def without_waiting(run: RunInProgress) -> Iterator[None]:
    """Let sensors look only when something can have changed, and triggers wait on the world's clock."""
    run_in_process = private.run_task_in_process
    inline_trigger = private.run_inline_trigger
    interval = private.next_poke_interval
    last: list[Any] = [None]

    def run_task(*args: Any, **kwargs: Any) -> Any:
        with run.task(kwargs["ti"].task_id):
            last[0] = run_in_process(*args, **kwargs)
        return last[0]

    def run_trigger(trigger: Any, ti: Any, *rest: Any) -> Any:
        waiting = _Deferred(trigger, _deadline(ti), run.clock)
        try:
            run.note_wait(f"the trigger of {ti.task_id}")
            return inline_trigger(waiting, ti, *rest)
        except DagproofError as error:
            run.reason = str(error)  # dag.test() makes a failed task of it
            raise
        except Exception as error:
            _fail_deferral(last[0].msg, error)
            return None

    def next_interval(sensor: Any, started_at: Any, run_duration: Any, poke_count: int) -> float:
        usual = interval(sensor, started_at, run_duration, poke_count)
        return _until_next_look(usual, run_duration(), sensor.timeout, run.clock)

    with private.patched(
        run_task_in_process=run_task, run_inline_trigger=run_trigger, next_poke_interval=next_interval
    ):
        yield


def _until_next_look(usual: float, waited: float, timeout: float, clock: Clock | None) -> float:
    """Return the seconds to a sensor's next look.

    In a world nothing changes by itself, but for what is announced to arrive. So a sensor that has found nothing
    looks at doubling distances, on the grid of its own interval: at most twice as late as it would have, were it to
    wait for a time of day. It never looks past the next arrival, or past its own timeout.
    """
    if usual <= 0 or clock is None:
        return usual
    steps = max(1, math.floor(waited / usual))
    arrival = clock.next_arrival()
    if arrival is not None:
        until = (arrival - datetime.now(timezone.utc)).total_seconds()
        steps = min(steps, max(1, math.ceil(until / usual)))
    if timeout > waited:
        steps = min(steps, max(1, math.floor((timeout - waited) / usual) + 1))
    return steps * usual


class _Deferred:
    """A trigger that waits on the world's clock, and no longer than its task said when it deferred."""

    def __init__(self, trigger: Any, deadline: datetime | None, clock: Clock | None) -> None:
        self._trigger, self._deadline, self._clock = trigger, deadline, clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trigger, name)

    async def run(self) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        if self._clock is not None:
            loop._selector = _JumpingSelector(loop, self._clock)  # type: ignore[attr-defined]
        events = self._trigger.run()
        try:
            seconds = None
            if self._deadline is not None:
                seconds = max(0.0, (self._deadline - datetime.now(timezone.utc)).total_seconds())
            yield await asyncio.wait_for(events.__anext__(), seconds)
        except StopAsyncIteration:
            return


class _JumpingSelector:
    """An event loop's selector that jumps to the next timer instead of waiting for it, unless something is going on."""

    def __init__(self, loop: Any, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._real = loop._selector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def select(self, timeout: float | None = None) -> Any:
        while timeout != 0 and _is_at_work():
            if events := self._real.select(PATIENCE):
                return events
        patience = PATIENCE if self._is_busy() else 0.0
        events = self._real.select(patience if timeout is None else min(patience, timeout))
        if events or timeout == 0:
            return events
        if timeout is None:
            if patience:
                return self._real.select(None)
            raise StuckError("a deferred task waits for an event that never comes; pass a timeout to defer()")
        self._clock.advance(timeout)
        return []

    def _is_busy(self) -> bool:
        """Whether a connection or a thread may still answer: there is more than the loop's own wake-up socket."""
        executor = getattr(self._loop, "_default_executor", None)
        threads = bool(executor and executor._threads) or any(t.name.startswith("AnyIO") for t in threading.enumerate())
        return threads or len(self._real.get_map()) > 1


def _is_at_work() -> bool:
    """Whether the thread to which ``sync_to_async`` gives work has not done it yet. It ends, however long it takes."""
    from asgiref.sync import SyncToAsync

    executor: Any = SyncToAsync.single_thread_executor
    return bool(executor._idle_semaphore._value < len(executor._threads))


def _deadline(ti: Any) -> datetime | None:
    """Return when the scheduler would give up on a deferred task."""
    from sqlalchemy import select

    TaskInstance = private.TaskInstance  # noqa: N806 - it is a class
    names = ("dag_id", "task_id", "run_id", "map_index")  # not its id, which is of another type in each Airflow line
    same = [getattr(TaskInstance, name) == getattr(ti, name) for name in names]
    with private.create_session() as session:
        return session.scalar(select(TaskInstance.trigger_timeout).where(*same))  # type: ignore[no-any-return]


def _fail_deferral(message: Any, error: Exception) -> None:
    """Let the task resume as the scheduler lets it resume when its trigger failed or came too late."""
    too_late = isinstance(error, asyncio.TimeoutError | TimeoutError)
    kwargs: dict[str, object] = {"error": "Trigger timeout" if too_late else "Trigger failure"}
    if not too_late:
        kwargs["traceback"] = traceback.format_exception(error)
    message.next_method, message.next_kwargs = "__fail__", kwargs


def _reschedule_date(ti: Any, session: Any) -> datetime | None:
    from sqlalchemy import select

    TaskReschedule = private.TaskReschedule  # noqa: N806 - it is a class
    return session.scalar(  # type: ignore[no-any-return]
        select(TaskReschedule.reschedule_date)
        .where(TaskReschedule.ti_id == ti.id)
        .order_by(TaskReschedule.id.desc())
        .limit(1)
    )
