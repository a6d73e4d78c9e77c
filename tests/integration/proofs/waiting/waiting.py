"""DAGs that wait, each in a way of its own; what they saw of the clock ends up in a file."""

import asyncio
import json
import threading
import time
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, task
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DUE = datetime(2026, 1, 1, 0, 1, tzinfo=timezone.utc)


def note(what, **more):
    """Append a line to what the run has seen, with the minutes since it began."""
    minutes = (datetime.now(timezone.utc) - DUE).total_seconds() / 60
    with open("seen.jsonl", "a") as file:
        file.write(json.dumps({"what": what, "minute": round(minutes), **more}) + "\n")


class After(BaseSensorOperator):
    """Waits until some hours are over."""

    def __init__(self, *, hours, **kwargs):
        super().__init__(**kwargs)
        self.hours = hours

    def poke(self, context):
        found = datetime.now(timezone.utc) >= DUE + timedelta(hours=self.hours)
        note("look", found=found)
        return found


class Sleeps(BaseTrigger):
    """Looks at the time every so often, as triggers do, and fires when enough of it is over."""

    def __init__(self, hours=None):
        super().__init__()
        self.hours = hours

    def serialize(self):
        return f"{type(self).__module__}.{type(self).__qualname__}", {"hours": self.hours}

    async def run(self):
        if self.hours is None:
            await asyncio.Event().wait()
        if self.hours < 0:
            raise LookupError("there is no such hour")
        until = datetime.now(timezone.utc) + timedelta(hours=self.hours)
        while datetime.now(timezone.utc) < until:
            await asyncio.sleep(60)
        yield TriggerEvent({"slept": self.hours})


class Asks(Sleeps):
    """Fires as soon as a thread has answered, which takes it half a second of real time."""

    async def run(self):
        await sync_to_async(threading.Event().wait)(0.5)
        yield TriggerEvent({"slept": 0})


class Defers(BaseOperator):
    """Leaves the worker until its trigger fires."""

    def __init__(self, *, hours, patience=None, trigger=Sleeps, **kwargs):
        super().__init__(**kwargs)
        self.hours, self.patience, self.trigger = hours, patience, trigger

    def execute(self, context):
        note("defer")
        self.defer(trigger=self.trigger(self.hours), method_name="resumed", timeout=self.patience)

    def resumed(self, context, event=None):
        note("resumed", event=event)


def dag(name, **options):
    return DAG(f"waits_{name}", schedule="@daily", start_date=START, **options)


with dag("for_a_day"):
    After(task_id="wait", hours=24, mode="reschedule", poke_interval=60, timeout=48 * 3600)

with dag("in_poke_mode"):
    After(task_id="wait", hours=24, mode="poke", poke_interval=60, timeout=48 * 3600)

with dag("too_long"):
    After(task_id="wait", hours=24, mode="reschedule", poke_interval=300, timeout=3 * 3600)

with dag("too_long_in_poke_mode"):
    After(task_id="wait", hours=24, mode="poke", poke_interval=300, timeout=3 * 3600)

with dag("deferred"):
    Defers(task_id="wait", hours=24)

with dag("for_a_thread"):
    Defers(task_id="wait", hours=0, patience=timedelta(hours=5), trigger=Asks)

with dag("for_ever_with_a_timeout"):
    Defers(task_id="wait", hours=None, patience=timedelta(hours=5))

with dag("for_ever"):
    Defers(task_id="wait", hours=None)

with dag("for_a_broken_trigger"):
    Defers(task_id="wait", hours=-1)

with dag("between_retries"):

    @task(retries=3, retry_delay=timedelta(hours=8))
    def wait(ti=None):
        note("try", number=ti.try_number)
        if ti.try_number < 4:
            raise LookupError("not yet")

    wait()

with dag("asleep"):

    @task
    def sleep():
        time.sleep(24 * 3600)
        note("awake")

    sleep()

with dag("asleep_too_long"):

    @task(execution_timeout=timedelta(hours=2))
    def sleep_too_long():
        time.sleep(24 * 3600)

    sleep_too_long()
