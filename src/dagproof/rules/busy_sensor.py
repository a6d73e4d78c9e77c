"""A sensor comes back to look too often."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.amounts import seconds
from dagproof.source.dagfile import DagFile
from dagproof.source.sensors import Sensor, sensors

LEAST_SECONDS = 60


class BusySensor(Rule):
    """A rescheduling sensor pokes more than once a minute.

    ## What it does
    Finds sensors in the mode `reschedule` with a `poke_interval` below 60 seconds, set on the sensor or in
    `default_args`. With `exponential_backoff` the interval grows by itself, so it reports nothing.

    ## Why is this bad
    Each poke of a rescheduling sensor starts a whole task: the scheduler queues it, a worker starts a process that
    parses the DAG file, and its state goes to the metadata database. A few dozen sensors that come back every five
    seconds keep the scheduler from starting anything else.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", mode="reschedule", poke_interval=5, timeout=3600)
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", mode="reschedule", poke_interval=300, timeout=3600)
    ```
    """

    name = "busy-sensor"
    code = "DP303"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each sensor."""
        for sensor in sensors(dagfile):
            interval = _interval(sensor, dagfile)
            if interval is not None and 0 <= interval < LEAST_SECONDS:
                message = _told(sensor.shown, interval)
                yield self.found(dagfile, (*sensor.task.chain, sensor.task.place), message, task=sensor.task)

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Look at how a sensor really waits."""
        if not task.sensor or task.deferrable or task.exponential_backoff or task.mode == "poke":
            return FINE
        if task.mode != "reschedule" or task.poke_interval is None:
            return None
        if task.poke_interval >= LEAST_SECONDS:
            return FINE
        return _told(f"the sensor {task.task_id!r}", task.poke_interval)


def _told(shown: str, interval: float) -> str:
    return f"{shown} restarts every {interval:g} s to check again; set poke_interval to {LEAST_SECONDS} or more"


def _interval(sensor: Sensor, dagfile: DagFile) -> float | None:
    """The seconds between two looks of a sensor that is surely rescheduled; None where that can't be told."""
    given = sensor.given("poke_interval")
    if given is None or sensor.constant("mode", "poke") != "reschedule":
        return None
    if sensor.constant("exponential_backoff", False) is not False or sensor.class_mentions("poke_interval"):
        return None
    if sensor.constant("deferrable", False) is not False:
        return None
    return seconds(given, dagfile.resolver)
