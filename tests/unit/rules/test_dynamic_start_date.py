"""DP202: a start that moves is found wherever it comes from, and a fixed one is not."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

RULE = "dynamic-start-date"


@pytest.mark.parametrize(
    "given",
    [
        "start_date=datetime.datetime.now()",
        "start_date=datetime.datetime.now().replace(hour=0) - datetime.timedelta(days=1)",
        "start_date=days_ago(2)",
        "start_date=pendulum.today('UTC').add(days=-1)",
        "start_date=MOVING",
        "start_date=helper(3)",
        "end_date=datetime.datetime.utcnow(), start_date=START",
        "default_args={'start_date': datetime.datetime.now()}",
        "default_args=dict(start_date=MOVING)",
        "default_args=DEFAULTS",
        "default_args={**DEFAULTS, 'retries': 1}",
        "default_args=LATER",
        "**{'start_date': MOVING}",
        "start_date=config.START",
        "start_date=config.make()",
    ],
)
@pytest.mark.parametrize("form", ["with DAG('orders', {}):\n    pass", "@dag({})\ndef orders(): pass\norders()"])
def test_a_moving_start_is_found(look: Look, given: str, form: str) -> None:
    """In the DAG, its default_args, helpers and constants."""
    top = """
from airflow.utils.dates import days_ago
import config
MOVING = datetime.datetime.combine(datetime.date.today(), datetime.time.min)
DEFAULTS = {"owner": "me", "start_date": MOVING}
LATER = {"owner": "me"}
LATER["start_date"] = datetime.datetime.now()
def helper(days): return datetime.datetime.now() - datetime.timedelta(days=days)
"""
    files = {"config.py": "from datetime import datetime\nSTART = datetime.now()\ndef make(): return datetime.now()\n"}
    (finding,) = look(HEAD + top + form.format(given), RULE, files)
    assert finding.dag_id == "orders"


@pytest.mark.parametrize(
    "given",
    [
        "start_date=START",
        "start_date=datetime.datetime(2026, 1, 1)",
        "start_date=pendulum.datetime(2026, 1, 1)",
        "start_date=pendulum.parse('2026-01-01')",
        "start_date=timezone.datetime(2026, 1, 1)",
        "start_date=static(2026, 1, 1)",
        "start_date=START, params={'start_date': Param(str(datetime.date.today()))}",
        "start_date=START, default_args={'params': {'start_date': datetime.datetime.now()}}",
        "start_date=START, on_failure_callback=lambda c: time.time()",
        "default_args={'start_date': START}",
    ],
)
def test_a_fixed_start_is_not_found(look: Look, given: str) -> None:
    """Also beside a moving default of a parameter."""
    top = "from airflow.sdk import Param, timezone\nfrom pendulum import datetime as static\n"
    assert look(f"{HEAD}{top}with DAG('orders', {given}):\n    pass\n", RULE) == []


def test_a_task_may_have_a_moving_start_too(look_in_dag: Look) -> None:
    """It is told for the task."""
    (finding,) = look_in_dag("BashOperator(task_id='a', bash_command='a', start_date=datetime.datetime.now())", RULE)
    assert finding.task_id == "a"
