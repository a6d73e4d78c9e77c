"""DP501 and DP502: a task that reaches another system says how often it is tried, and how long it may take."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

TOP = """
import functools, requests, sqlalchemy, psycopg2, sqlite3
from airflow.sdk import BaseOperator, TaskGroup, setup
from airflow.providers.common.sql.operators.analytics import AnalyticsOperator
from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from helpers import fetch
SAFE = {"retries": 2, "execution_timeout": datetime.timedelta(minutes=5)}
SafeHttp = functools.partial(HttpOperator, **SAFE)
class Own(HttpOperator): pass
class OwnRetries(HttpOperator):
    def __init__(self, **kwargs): super().__init__(retries=3, execution_timeout=5, **kwargs)
def ask(): return requests.get("https://example.org")
def count(): return 1
def local(): return sqlite3.connect(":memory:")
def unknown(): return os.environ
safe_task = functools.partial(task, **SAFE)
@task
def asks(): return ask()
@safe_task
def safely(): return ask()
@task(retries=2, execution_timeout=5)
def tried(): return ask()
"""
API = """
import httpx
class Api:
    def load(self): return httpx.post("x", timeout=None)
def fetch(): Api().load()
"""
FILES = {"helpers.py": API}


@pytest.mark.parametrize(
    "body",
    [
        "SQLExecuteQueryOperator(task_id='t', conn_id='x', sql='SELECT 1')",
        "HttpOperator(task_id='t', endpoint='x')",
        "HttpOperator.partial(task_id='t').expand(endpoint=['x'])",
        "Own(task_id='t', endpoint='x')",
        "BashOperator(task_id='t', bash_command='set -e; curl -f https://example.org > x')",
        "BashOperator(task_id='t', bash_command='PGPASSWORD=x psql -c \"SELECT 1\"')",
        "PythonOperator(task_id='t', python_callable=ask)",
        "PythonOperator(task_id='t', python_callable=fetch)",
        "PythonOperator(task_id='t', python_callable=lambda: psycopg2.connect('x').cursor())",
        "PythonOperator(task_id='t', python_callable=functools.partial(ask))",
        "asks.override(task_id='t')()",
        "with TaskGroup('g', default_args={'owner': 'me'}):\n    HttpOperator(task_id='t', endpoint='x')",
    ],
)
def test_a_task_that_reaches_another_system_without_care_is_found(look_in_dag: Look, body: str) -> None:
    """By both rules, once each."""
    for rule in ("no-retries", "endless-task"):
        (finding,) = look_in_dag(body, rule, TOP, FILES)
        assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        "HttpOperator(task_id='t', endpoint='x', **SAFE)",
        "HttpOperator(task_id='t', endpoint='x', **unknown())",
        "HttpOperator(task_id='t', endpoint='x', retries=2, execution_timeout=START)",
        "SafeHttp(task_id='t', endpoint='x')",
        "OwnRetries(task_id='t', endpoint='x')",
        "with TaskGroup('g', default_args=SAFE):\n    HttpOperator(task_id='t', endpoint='x')",
        "with TaskGroup('g', default_args=unknown()):\n    HttpOperator(task_id='t', endpoint='x')",
        "asks.override(retries=1, execution_timeout=START)()",
        "safely()",
        "tried()",
        "PythonOperator(task_id='t', python_callable=count)",
        "PythonOperator(task_id='t', python_callable=local)",
        "BashOperator(task_id='t', bash_command='echo curl; ls awscli')",
        "EmptyOperator(task_id='t')",
        "AnalyticsOperator(task_id='t', datasource_configs=[])",
        "TriggerDagRunOperator(task_id='t', trigger_dag_id='x')",
        "print(requests.get)",
    ],
)
def test_a_task_with_care_or_without_the_outside_is_not_found(look_in_dag: Look, body: str) -> None:
    """Nor one of which it can't be told."""
    for rule in ("no-retries", "endless-task"):
        assert look_in_dag(body, rule, TOP, FILES) == []


@pytest.mark.parametrize(
    ("dag", "no_retries", "endless"),
    [
        ("default_args={'retries': 1}", False, True),
        ("default_args={'retries': 0}", True, True),
        ("default_args=dict(execution_timeout=START)", True, False),
        ("dagrun_timeout=datetime.timedelta(hours=1)", True, False),
        ("default_args=unknown()", False, False),
        ("**unknown()", False, False),
    ],
)
def test_what_the_dag_gives_counts(look: Look, dag: str, no_retries: bool, endless: bool) -> None:
    """Its default_args, and the timeout of its runs."""
    operator = "    HttpOperator(task_id='t', endpoint='x')"
    source = f"{HEAD}{TOP}\nwith DAG('d', schedule=None, {dag}) as d:\n{operator}\n"
    assert bool(look(source, "no-retries", FILES)) == no_retries
    assert bool(look(source, "endless-task", FILES)) == endless


def test_a_task_that_asks_to_be_tried_once_is_believed(look_in_dag: Look) -> None:
    """It says so itself; ``None`` of default_args is the default that they had already."""
    body = "HttpOperator(task_id='t', endpoint='x', retries=0, execution_timeout=None)"
    assert look_in_dag(body, "no-retries", TOP, FILES) == look_in_dag(body, "endless-task", TOP, FILES) == []


def test_a_sensor_needs_retries_and_has_a_timeout_of_its_own(look_in_dag: Look) -> None:
    """Waiting is the matter of other rules."""
    body = "S3KeySensor(task_id='t', bucket_key='x', timeout=60, mode='reschedule')"
    assert len(look_in_dag(body, "no-retries", TOP, FILES)) == 1
    assert look_in_dag(body, "endless-task", TOP, FILES) == []


def test_retries_of_the_installation_count(look_in_dag: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment sets them."""
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TASK_RETRIES", "2")
    assert look_in_dag("HttpOperator(task_id='t', endpoint='x')", "no-retries", TOP, FILES) == []


@pytest.mark.parametrize(
    "body",
    [
        "BashOperator(task_id='t', bash_command='curl --max-time 60 https://example.org')",
        "PythonOperator(task_id='t', python_callable=lambda: requests.get('x', timeout=5))",
        "PythonOperator(task_id='t', python_callable=lambda: boto3.client('s3').list_buckets())",
        "PythonOperator(task_id='t', python_callable=lambda: httpx.get('x'))",
    ],
)
def test_what_gives_up_by_itself_needs_retries_and_no_limit(look_in_dag: Look, body: str) -> None:
    """A request with a timeout of its own, or a client that has one by default."""
    top = f"{TOP}\nimport boto3, httpx\n"
    assert len(look_in_dag(body, "no-retries", top, FILES)) == 1
    assert look_in_dag(body, "endless-task", top, FILES) == []
