"""A sensor holds a worker slot while it waits."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import DagFile
from dagproof.source.sensors import Sensor, sensors


class PokeSensor(Rule):
    """A sensor holds a worker slot while it waits.

    ## What it does
    Finds sensors that wait in the mode `poke`, which is the default: neither `mode="reschedule"` nor `deferrable=True`
    is set on the sensor or in the DAG's `default_args`, and the sensor's own class sets neither. If it can't determine
    that, it reports nothing. A class of a package that dagproof does not know is doubtful: it may defer by itself.

    ## Why is this bad
    A poking sensor sits in a worker slot all the time, doing nothing. If data is late, a few of them fill all slots,
    and the tasks that would deliver the data can't start.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", timeout=3600)
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", timeout=3600, mode="reschedule")
    ```
    """

    name = "poke-sensor"
    code = "DP301"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each sensor."""
        for sensor in sensors(dagfile):
            if _pokes(sensor):
                places = (*sensor.task.chain, sensor.task.place)
                message = _told(sensor.shown) if sensor.is_known else _unknown(sensor)
                yield self.found(dagfile, places, message, task=sensor.task, certain=sensor.is_known)

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Look at how a sensor really waits, with the defaults of its class and of the installation."""
        if not task.sensor or task.deferrable or task.mode == "reschedule":
            return FINE
        if task.mapped and (task.deferrable is None or task.mode is None):
            return None  # its class may set either, once there is an instance
        if task.deferrable is None and task.defers:
            return FINE
        return _told(f"the sensor {task.task_id!r}") if task.mode == "poke" else None


def _told(shown: str) -> str:
    return f'{shown} holds a worker slot while it waits; set mode="reschedule"'


def _unknown(sensor: Sensor) -> str:
    return (
        f"{sensor.shown} may hold a worker slot while it waits: what {sensor.kind} does is not known here, and neither "
        'mode nor deferrable is given; set mode="reschedule", unless it defers by itself'
    )


def _pokes(sensor: Sensor) -> bool:
    mode, deferrable = sensor.constant("mode", "poke"), sensor.constant("deferrable", False)
    return mode == "poke" and deferrable is False and not sensor.waits_aside
