"""DP206: runs that assets start have no date to take."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

RULE = "dateless-run"
TOP = """
from airflow.sdk import Asset, AssetAlias, AssetOrTimeSchedule, get_current_context
from airflow.timetables.trigger import CronTriggerTimetable
from somewhere import SCHEDULE, save
ORDERS = Asset("orders")
INPUTS = [ORDERS, Asset("items")]
def clean(ds=None): save(ds)
def told(day): save(day)
def asks(ds=None): save(ds or "latest")
def all_of_it(**context): save(context["logical_date"])
def current(): save(get_current_context()["ts"])
def other(**context): save(context["run_id"])
"""
SQL = "SQLExecuteQueryOperator(task_id='t', conn_id='x', sql=\"DELETE FROM t WHERE dt = '{{ ds }}'\")"


@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        ("[Asset('x')]", 1),
        ("Asset('x')", 1),
        ("ORDERS", 1),
        ("INPUTS", 1),
        ("(ORDERS | Asset('x'))", 1),
        ("ORDERS & AssetAlias('x')", 1),
        ("(Asset('a'), Asset('b'))", 1),
        ("'@daily'", 0),
        ("None", 0),
        ("SCHEDULE", 0),
        ("[]", 0),
        ("[ORDERS, SCHEDULE]", 0),
        ("AssetOrTimeSchedule(timetable=CronTriggerTimetable('@daily', timezone='UTC'), assets=ORDERS)", 0),
    ],
)
def test_only_assets_start_runs_without_a_date(look: Look, schedule: str, count: int) -> None:
    """In every form of such a schedule, and in no other."""
    source = f"{HEAD}{TOP}with DAG('d', schedule={schedule}):\n    {SQL}\n"
    found = look(source, RULE)
    assert [finding.certain for finding in found] == [True] * count


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("BashOperator(task_id='t', bash_command='load {{ data_interval_start | ds }}')", [True]),
        ("BashOperator(task_id='t', bash_command=f'load {chr(123)}')", []),
        ("PythonOperator(task_id='t', python_callable=clean)", [True]),
        ("PythonOperator(task_id='t', python_callable=clean, op_kwargs={'ds': '2026-01-01'})", []),
        ("PythonOperator(task_id='t', python_callable=told, op_kwargs={'day': '{{ ds_nodash }}'})", [True]),
        ("PythonOperator(task_id='t', python_callable=asks)", [False]),
        ("PythonOperator(task_id='t', python_callable=all_of_it)", [True]),
        ("PythonOperator(task_id='t', python_callable=current)", [True]),
        ("PythonOperator(task_id='t', python_callable=other)", []),
        ("BashOperator(task_id='t', bash_command='load {{ ds | default(run_id) }}')", [False]),
        ("BashOperator(task_id='t', bash_command='{% set ds = run_id %}load {{ ds }}')", []),
        ("BashOperator(task_id='t', bash_command='load {{ run_id }} ds')", []),
        ("@task\ndef f(ds=None): return 1\nf()", []),
        ("@task\ndef f(ds=None): return ds\nf()", [True]),
        ("@task\ndef f(ds=None): return ds\nf(ds='2026-01-01')", []),
    ],
)
def test_where_a_task_takes_the_date(look: Look, body: str, certain: list[bool]) -> None:
    """Templates, parameters, the context; what asks for it first is doubtful."""
    lines = "\n    ".join(body.split("\n"))
    source = f"{HEAD}{TOP}with DAG('d', schedule=[ORDERS]):\n    {lines}\n"
    assert [finding.certain for finding in look(source, RULE)] == certain
