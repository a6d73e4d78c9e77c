"""DP303: a sensor that is started anew too often is found, by whatever its interval is written as."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

RULE = "busy-sensor"
TOP = """
from datetime import timedelta
from airflow.sdk import BaseSensorOperator, TaskGroup, task_group
EVERY = 10
class Config:
    every = timedelta(seconds=10)
class Own(BaseSensorOperator):
    def __init__(self, poke_interval=5, **kwargs): super().__init__(poke_interval=poke_interval * 60, **kwargs)
"""


@pytest.mark.parametrize(
    "given",
    [
        "mode='reschedule', poke_interval=5",
        "mode='reschedule', poke_interval=59.5",
        "mode='reschedule', poke_interval=EVERY",
        "mode='reschedule', poke_interval=EVERY * 3",
        "mode='reschedule', poke_interval=60 / 2",
        "mode='reschedule', poke_interval=int(30)",
        "mode='reschedule', poke_interval=timedelta(seconds=30)",
        "mode='reschedule', poke_interval=datetime.timedelta(minutes=0.5)",
        "mode='reschedule', poke_interval=timedelta(0, 30)",
        "mode='reschedule', poke_interval=pendulum.duration(seconds=30)",
        "mode='reschedule', poke_interval=timedelta(seconds=30).total_seconds()",
        "mode='reschedule', poke_interval=Config.every",
        "**{'mode': 'reschedule', 'poke_interval': 5}",
    ],
)
def test_an_interval_below_a_minute_is_found(look_in_dag: Look, given: str) -> None:
    """As a number, a duration, a constant, or what is computed of them."""
    (finding,) = look_in_dag(f"FileSensor(task_id='w', filepath='x', {given})", RULE, TOP)
    assert (finding.certain, finding.task_id) == (True, "w")


@pytest.mark.parametrize(
    "sensor",
    [
        "FileSensor(task_id='w', filepath='x', mode='reschedule')",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=60)",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=60 * 5)",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=timedelta(minutes=5))",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=timedelta(days=1, seconds=5))",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=float(os.environ['EVERY']))",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=1 / 0)",
        "FileSensor(task_id='w', filepath='x', mode='reschedule', poke_interval=5, exponential_backoff=True)",
        "FileSensor(task_id='w', filepath='x', mode='poke', poke_interval=5)",
        "FileSensor(task_id='w', filepath='x', poke_interval=5)",
        "FileSensor(task_id='w', filepath='x', poke_interval=5, deferrable=True)",
        "FileSensor(task_id='w', filepath='x', mode=os.environ['MODE'], poke_interval=5)",
        "Own(task_id='w', mode='reschedule', poke_interval=5)",
        "PythonOperator(task_id='w', python_callable=print, op_kwargs={'poke_interval': 5, 'mode': 'reschedule'})",
    ],
)
def test_what_is_not_busy_is_not_found(look_in_dag: Look, sensor: str) -> None:
    """Nor what can't be told."""
    assert look_in_dag(sensor, RULE, TOP) == []


def test_groups_and_default_args_count(look: Look) -> None:
    """The nearest one wins."""
    source = f"""{HEAD}{TOP}
with DAG("d", schedule=None, default_args={{"mode": "reschedule", "poke_interval": 5}}) as d:
    FileSensor(task_id="by_dag", filepath="x")
    with TaskGroup("calm", default_args={{"poke_interval": 300}}):
        FileSensor(task_id="calm", filepath="x")
        FileSensor(task_id="own", filepath="x", poke_interval=7)
    @task_group(default_args=dict(poke_interval=300))
    def also_calm():
        FileSensor(task_id="also_calm", filepath="x")
    also_calm()
"""
    assert [finding.task_id for finding in look(source, RULE)] == ["by_dag", "own"]
