"""DP301 and DP302: what a sensor is told by itself, its DAG and its class."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

SENSORS = """
from airflow.sdk import BaseSensorOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.time import TimeSensor
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from shop.models import TemperatureSensor
MODE = "reschedule"
HOW = {"mode": "reschedule", "timeout": 60}
class Mine(BaseSensorOperator):
    def poke(self, context): return True
class Patient(BaseSensorOperator):
    def __init__(self, **kwargs): super().__init__(mode="reschedule", timeout=60, **kwargs)
class Quick(Mine): pass
class Aside(BaseSensorOperator):
    def execute(self, context): self.defer(trigger=None, method_name="x")
"""


@pytest.mark.parametrize(
    ("sensor", "pokes", "endless"),
    [
        ("FileSensor(task_id='w', filepath='x')", True, True),
        ("FileSensor(task_id='w', filepath='x', mode='poke', timeout=5)", True, False),
        ("FileSensor(task_id='w', filepath='x', mode='reschedule')", False, True),
        ("FileSensor(task_id='w', filepath='x', mode=MODE, timeout=5)", False, False),
        ("FileSensor(task_id='w', filepath='x', deferrable=True)", False, True),
        ("FileSensor(task_id='w', filepath='x', deferrable=False, timeout=5)", True, False),
        ("FileSensor(task_id='w', filepath='x', deferrable=os.environ['D'], timeout=5)", False, False),
        ("FileSensor(task_id='w', filepath='x', **HOW)", False, False),
        ("FileSensor(task_id='w', filepath='x', **unknown())", False, False),
        ("FileSensor.partial(task_id='w').expand(filepath=['x'])", True, True),
        ("ExternalTaskSensor(task_id='w', external_dag_id='x', execution_timeout=START)", True, False),
        ("FileSensor(task_id='w', filepath='x', mode='reschedule', execution_timeout=START)", False, True),
        ("TimeSensor(task_id='w', target_time=datetime.time(1))", True, False),
        ("DateTimeSensorAsync(task_id='w', target_time='x')", False, False),
        ("TemperatureSensor(room=1)", False, False),
        ("Mine(task_id='w')", True, True),
        ("Quick(task_id='w')", True, True),
        ("Patient(task_id='w')", False, False),
        ("Aside(task_id='w')", False, True),
        ("task.sensor(look)(1)", True, True),
    ],
)
def test_a_sensor_is_judged_by_all_it_is_told(look_in_dag: Look, sensor: str, pokes: bool, endless: bool) -> None:
    """By its own arguments, and by its class."""
    top = f"{SENSORS}def unknown(): return os.environ\ndef look(x): return True\n"
    assert bool(look_in_dag(sensor, "poke-sensor", top)) == pokes
    assert bool(look_in_dag(sensor, "endless-sensor", top)) == endless


@pytest.mark.parametrize(
    ("defaults", "pokes", "endless"),
    [
        ("{}", True, True),
        ("{'mode': 'reschedule'}", False, True),
        ("dict(deferrable=True, timeout=60)", False, False),
        ("DEFAULTS", False, True),
        ("from_elsewhere", False, False),
    ],
)
def test_what_the_dag_gives_to_all_tasks_counts(look: Look, defaults: str, pokes: bool, endless: bool) -> None:
    """And what can't be told is not held against a sensor."""
    source = (
        f"{HEAD}from elsewhere import from_elsewhere\nDEFAULTS = {{'mode': 'reschedule'}}\n"
        f"with DAG('d', schedule=None, default_args={defaults}):\n    FileSensor(task_id='w', filepath='x')\n"
    )
    assert bool(look(source, "poke-sensor")) == pokes
    assert bool(look(source, "endless-sensor")) == endless


@pytest.mark.parametrize(
    ("decorator", "pokes", "endless"),
    [
        ("@task.sensor", True, True),
        ("@task.sensor(poke_interval=5, timeout=60)", True, False),
        ("@task.sensor(mode='reschedule', timeout=60)", False, False),
    ],
)
def test_a_decorated_sensor_is_a_sensor(look: Look, decorator: str, pokes: bool, endless: bool) -> None:
    """With the arguments of its decorator."""
    source = f"{HEAD}@dag(schedule=None)\ndef d():\n    {decorator}\n    def wait(): return True\n    wait()\nd()\n"
    assert bool(look(source, "poke-sensor")) == pokes
    assert bool(look(source, "endless-sensor")) == endless


@pytest.mark.parametrize(
    ("sensor", "pokes", "endless"),
    [
        ("amazon.aws.sensors.glacier.GlacierJobOperationSensor", False, True),
        ("databricks.sensors.databricks.DatabricksSQLStatementsSensor", True, False),
        ("amazon.aws.sensors.s3.S3KeySensor", True, True),
    ],
)
def test_the_own_defaults_of_a_class_count(look_in_dag: Look, sensor: str, pokes: bool, endless: bool) -> None:
    """Of its mode and of its timeout, as the provider's source has them."""
    module, _, name = sensor.rpartition(".")
    top = f"from airflow.providers.{module} import {name}\n"
    body = f"{name}(task_id='wait')"
    assert bool(look_in_dag(body, "poke-sensor", top)) == pokes
    assert bool(look_in_dag(body, "endless-sensor", top)) == endless
