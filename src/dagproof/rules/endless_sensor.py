"""A sensor has no timeout."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import DagFile
from dagproof.source.sensors import Sensor, sensors

SEVEN_DAYS = 7 * 24 * 3600.0
COMES_BY_ITSELF = (
    *("TimeSensor", "TimeSensorAsync", "TimeDeltaSensor", "TimeDeltaSensorAsync", "WaitSensor"),
    *("DateTimeSensor", "DateTimeSensorAsync", "DayOfWeekSensor"),
)
"""These wait for a time, which comes."""


class EndlessSensor(Rule):
    """A sensor has no timeout.

    ## What it does
    Finds sensors without a `timeout`, on the sensor or in the DAG's `default_args`. An `execution_timeout` counts, but
    not in the mode `reschedule`, where it limits each single poke. Sensors that wait for a point in time are left out.
    A class of a package that dagproof does not know is doubtful: it may set a timeout itself.

    ## Why is this bad
    The default is seven days. What the sensor waits for may never come, and nobody notices for a week; meanwhile seven
    daily runs pile up behind it.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", mode="reschedule")
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", mode="reschedule", timeout=6 * 60 * 60)
    ```
    """

    name = "endless-sensor"
    code = "DP302"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each sensor."""
        for sensor in sensors(dagfile):
            if _is_endless(sensor):
                places = (*sensor.task.chain, sensor.task.place)
                message = _told(sensor.shown) if sensor.is_known else _unknown(sensor)
                yield self.found(dagfile, places, message, task=sensor.task, certain=sensor.is_known)

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Look at what a sensor was really given, by its class and by the installation, too."""
        limited = task.execution_timeout is not None and task.mode != "reschedule"
        if not task.sensor or limited or "timeout" in task.given or task.type in COMES_BY_ITSELF:
            return FINE
        if task.mapped:
            return None  # its class may set one, once there is an instance
        return _told(f"the sensor {task.task_id!r}") if task.timeout == SEVEN_DAYS else FINE


def _told(shown: str) -> str:
    return f"{shown} has no timeout, so it waits for up to seven days; set timeout"


def _unknown(sensor: Sensor) -> str:
    return (
        f"{sensor.shown} is given no timeout: unless {sensor.kind}, which is not known here, sets one itself, it waits "
        "for up to seven days; set timeout"
    )


def _is_endless(sensor: Sensor) -> bool:
    if sensor.kind in COMES_BY_ITSELF or sensor.has_own_timeout or sensor.has("timeout") is not False:
        return False
    mode = sensor.constant("mode", "poke")
    return mode == "reschedule" or sensor.has("execution_timeout") is False
