"""A sensor does not say how long it waits."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile
from dagproof.source.sensors import Sensor, sensors

COMES_BY_ITSELF = (
    *("TimeSensor", "TimeSensorAsync", "TimeDeltaSensor", "TimeDeltaSensorAsync", "WaitSensor"),
    *("DateTimeSensor", "DateTimeSensorAsync", "DayOfWeekSensor"),
)
"""These wait for a time, which comes."""


class EndlessSensor(Rule):
    """A sensor does not say how long it waits.

    ## What it does
    Finds sensors without a `timeout`, be it their own or in the DAG's `default_args`. An `execution_timeout` counts,
    but not in the mode `reschedule`, where it limits each single look. Sensors that wait for a time of the clock are
    left out.

    ## Why is this bad
    The default is seven days. What the sensor waits for may never come, and for a week nobody is told; meanwhile the
    runs of seven days pile up behind it.

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
                message = f"{sensor.shown} has no timeout, so it waits for up to seven days; say how long is too long"
                yield self.found(dagfile, (*sensor.task.chain, sensor.task.place), message, task=sensor.task)


def _is_endless(sensor: Sensor) -> bool:
    if sensor.kind in COMES_BY_ITSELF or sensor.has("timeout") is not False:
        return False
    mode = sensor.constant("mode", "poke")
    return mode == "reschedule" or sensor.has("execution_timeout") is False
