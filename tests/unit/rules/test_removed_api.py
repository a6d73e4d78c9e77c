"""DP007: what the targeted Airflow refuses is found, and only that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagproof.check.checking import check
from dagproof.errors import ConfigError
from dagproof.rules import rule_named
from dagproof.source import ruffing
from dagproof.source.removed import provider_names, removed_name
from dagproof.source.target import SUPPORTED, target
from tests.unit.rules.conftest import HEAD, Look

RULE = "removed-api"
MAKES_A_DAG = "from airflow.sdk import DAG\nDAG('d', schedule=None)\n"


@pytest.mark.parametrize(
    "line",
    [
        "from airflow.operators.python_operator import PythonOperator",
        "from airflow.operators.dummy import DummyOperator",
        "from airflow.operators import bash_operator",
        "import airflow.operators.dummy_operator",
        "import airflow.contrib.hooks.aws_hook as hooks",
        "from airflow.contrib.sensors import *",
        "from airflow.utils.dates import days_ago",
        "from airflow.utils.dates import days_ago as ago, TimeUnit",
        "from airflow.utils import dates\nDAY = dates.days_ago(1)",
        "import airflow.utils.dates\nDAY = airflow.utils.dates.days_ago(1)",
        "from airflow.operators.subdag import SubDagOperator",
        "from airflow.datasets import Dataset",
        "from airflow.utils.decorators import apply_defaults",
        "from airflow.sensors.base_sensor_operator import BaseSensorOperator",
        "from airflow.hooks.base_hook import BaseHook",
        "from airflow.www import utils",
        "from airflow.models import SlaMiss",
        "from airflow.utils.helpers import chain",
        "from old import X",
    ],
)
def test_an_import_of_what_is_gone_is_found(look: Look, line: str) -> None:
    """Whether it is used or not, whatever is imported of it; also in modules of one's own."""
    found = look(f"{line}\n{MAKES_A_DAG}", RULE, {"old.py": "from airflow.operators.dummy import DummyOperator as X\n"})
    assert found
    assert all(finding.certain for finding in found)
    assert {finding.line for finding in found} <= {1, 2}


@pytest.mark.parametrize(
    "lines",
    [
        "from airflow.operators.bash import BashOperator",
        "from airflow.decorators import dag, task",
        "from airflow.models import Variable, DAG",
        "from airflow.utils.task_group import TaskGroup",
        "from airflow import DAG, Dataset",
        "try:\n    from airflow.datasets import Dataset\nexcept ImportError:\n    Dataset = None",
        "try:\n    from airflow.sdk import Asset\nexcept ImportError:\n"
        "    from airflow.datasets import Dataset as Asset",
        "from contextlib import suppress\nwith suppress(ImportError):\n    from airflow.contrib.hooks import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from airflow.utils.dates import TimeUnit",
        "from airflow import __version__\nif __version__ < '3':\n    from airflow.operators.dummy import DummyOperator",
        "from airflow_ours.contrib import x",
        "from old import y",
        "def never():\n    from airflow.operators.dummy import DummyOperator",
        "from airflow.providers.amazon.aws.hooks.s3 import S3Hook",
    ],
)
def test_an_import_that_works_or_has_a_fallback_is_not_found(look: Look, lines: str) -> None:
    """Nor one that never happens."""
    assert look(f"{lines}\n{MAKES_A_DAG}", RULE, {"old.py": "y = 1\n"}) == []


def test_an_import_in_a_module_of_ones_own_is_told_with_the_way(look: Look) -> None:
    """At the import of the DAG file that leads there."""
    files = {
        "lib/__init__.py": "from lib.old import X\n",
        "lib/old.py": "\nfrom airflow.datasets import Dataset as X\n",
    }
    (finding,) = look(f"import lib\n{MAKES_A_DAG}", RULE, files)
    assert (finding.line, [(step.path, step.line) for step in finding.via]) == (
        1,
        [("dags/lib/__init__.py", 1), ("dags/lib/old.py", 2)],
    )


def test_an_import_in_a_task_is_found(look_in_task: Look) -> None:
    """It fails when the task runs."""
    (finding,) = look_in_task("from airflow.utils.dates import days_ago\nreturn days_ago(1)", RULE)
    assert finding.task_id == "load"


@pytest.mark.parametrize(
    ("source", "versions"),
    [
        ("from airflow.datasets import Dataset", {(3, 2), (3, 3)}),
        ("from airflow.utils.dates import days_ago", {(3, 1), (3, 2), (3, 3)}),
        ("from airflow.models.mappedoperator import MappedOperator", {(3, 2), (3, 3)}),
        ("from airflow.operators.bash import BashOperator", set()),
    ],
)
def test_what_is_gone_depends_on_the_version(tmp_path: Path, source: str, versions: set[tuple[int, int]]) -> None:
    """Each version has lost more than the one before."""
    (tmp_path / "dag.py").write_text(f"{source}\n{MAKES_A_DAG}")
    rules = [rule_named(RULE)]
    found = {one for one in SUPPORTED if check([tmp_path], rules, base=tmp_path, airflow=one).findings}
    assert found == versions


def test_the_version_is_configured() -> None:
    """One that the rules don't know is refused."""
    assert target("3.1") == target("3.1.8") == (3, 1)
    assert target() in SUPPORTED
    with pytest.raises(ConfigError, match=r"supported versions: 3\.1, 3\.2, 3\.3"):
        target("2.11")
    assert removed_name("airflow.datasets.Dataset", (3, 1)) is None


@pytest.mark.parametrize(
    "body",
    [
        "DAG('x', schedule_interval='@daily')",
        "DAG(dag_id='x', schedule=None, concurrency=3)",
        "DAG('x', 'a text', schedule=None)",
        "DAG('x', schedule=None, **{'default_view': 'graph'})",
        "BashOperator(task_id='t', bash_command='x', task_concurrency=1)",
        "BashOperator.partial(task_id='t', task_concurrency=1).expand(bash_command=['x'])",
        "PythonOperator(task_id='t', python_callable=print, provide_context=True)",
        "PythonOperator(task_id='t', python_callable=print, trigger_rule='dummy')",
        "PythonOperator(task_id='t', python_callable=print, trigger_rule=RULE)",
        "TriggerDagRunOperator(task_id='t', trigger_dag_id='x', execution_date='{{ ds }}')",
        "task(task_concurrency=1)(load)()",
    ],
)
def test_a_parameter_that_is_refused_is_found(look_in_dag: Look, body: str) -> None:
    """Of DAGs, and of operators."""
    top = """
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    RULE = "none_failed_or_skipped"
    def load(): return 1
    """
    (finding,) = look_in_dag(body, RULE, top)
    assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        "DAG('x', schedule=None, max_active_tasks=3, sla_miss_callback=None)",
        "Ours('x', concurrency=3)",
        "OursOperator(task_id='t', provide_context=True)",
        "BashOperator(task_id='t', bash_command='x', sla=datetime.timedelta(1), trigger_rule='always')",
        "BashOperator(task_id='t', bash_command='x', params={'execution_date': 1, 'concurrency': 2})",
        "ThirdOperator(task_id='t', provide_context=True, task_concurrency=1)",
        "AirflowThirdOperator(task_id='t', provide_context=True)",
        "PythonOperator(task_id='t', python_callable=print, op_kwargs={'provide_context': True})",
    ],
)
def test_a_parameter_that_is_taken_is_not_found(look_in_dag: Look, body: str) -> None:
    """Nor one of a class of one's own, or of others."""
    top = """
    from third import ThirdOperator
    from airflow.providers.third.operators.third import AirflowThirdOperator
    from airflow.sdk import BaseOperator
    class Ours(DAG):
        def __init__(self, dag_id, concurrency): super().__init__(dag_id, max_active_tasks=concurrency, schedule=None)
    class OursOperator(BaseOperator):
        def __init__(self, provide_context, **kwargs): super().__init__(**kwargs)
    """
    assert look_in_dag(body, RULE, top) == []


@pytest.mark.parametrize(
    "template",
    [
        "{{ execution_date }}",
        "{{ next_ds }}",
        "{{ (prev_execution_date - macros.timedelta(1)).isoformat() }}",
        "{% if tomorrow_ds > ds %}x{% endif %}",
        "{{ dag_run.execution_date }}",
        "{{ ti.execution_date | ds }}",
        "{{ conf.get('core', 'x') }}",
    ],
)
def test_a_template_that_asks_for_what_is_not_given_is_found(look_in_dag: Look, template: str) -> None:
    """With its own line."""
    (finding,) = look_in_dag(f"BashOperator(\n    task_id='t',\n    bash_command='''\n{template}''')", RULE)
    assert (finding.certain, finding.task_id) == (True, "t")
    assert len({finding.line}) == 1


@pytest.mark.parametrize(
    "template",
    [
        "{{ logical_date }} {{ data_interval_end }}",
        "{% set next_ds = macros.ds_add(ds, 1) %}{{ next_ds }}",
        "{% for conf in [1] %}{{ conf }}{% endfor %}",
        "{{ params.execution_date }} {{ dag_run.conf['x'] }} {{ 'execution_date' }}",
        "{{ ti.xcom_pull(task_ids='next_ds') }}",
        "{{ ours }} execution_date",
        "{# execution_date #}",
        "{{ execution_date",
    ],
)
def test_a_template_that_asks_for_what_is_there_is_not_found(look_in_dag: Look, template: str) -> None:
    """Its own variables, attributes, strings, comments."""
    assert look_in_dag(f"BashOperator(task_id='t', bash_command={template!r})", RULE) == []


def test_macros_of_the_dag_are_its_own(look: Look) -> None:
    """Whatever they are called."""
    operator = "    BashOperator(task_id='t', bash_command='{{ next_ds }} {{ prev_ds }}')"
    source = f"{HEAD}\nwith DAG('d', schedule=None, user_defined_macros={{'next_ds': print}}):\n{operator}\n"
    assert [finding.message.split(";")[0][-7:] for finding in look(source, RULE)] == ["prev_ds"]


@pytest.mark.parametrize(
    "function",
    [
        "def load(**context): return context['execution_date']",
        "def load(**kwargs): return kwargs.get('next_ds')",
        "def load(execution_date=None): return execution_date",
        "def load(ds, next_ds): return next_ds",
        "def load(): return get_current_context()['prev_ds']",
        "def load():\n    found = get_current_context()\n    return found['conf']",
        "def helper(context): return context['execution_date']\ndef load(**context): return helper(context)",
    ],
)
@pytest.mark.parametrize("how", ["PythonOperator(task_id='load', python_callable=load)", "task(load)()"])
def test_code_that_asks_for_what_is_not_given_is_found(look_in_dag: Look, function: str, how: str) -> None:
    """By subscript, ``get``, parameter, also in helpers."""
    (finding,) = look_in_dag(how, RULE, f"from airflow.sdk import get_current_context\n{function}\n")
    assert (finding.certain, finding.task_id) == (True, "load")


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        ("def load(execution_date=None): return 1", "task(load)()"),
        ("def load(execution_date): return execution_date", "task(load)('{{ ds }}')"),
        ("def load(execution_date): return execution_date", "task(load)(execution_date='{{ ds }}')"),
        ("def load(execution_date): return execution_date", "task(load).expand(execution_date=['a'])"),
        (
            "def load(next_ds): return next_ds",
            "PythonOperator(task_id='t', python_callable=load, op_kwargs={'next_ds': 1})",
        ),
        (
            "def load(**kwargs): return kwargs['next_ds']",
            "PythonOperator(task_id='t', python_callable=load, op_kwargs={'next_ds': 1})",
        ),
        ("def load(next_ds): return next_ds", "PythonOperator(task_id='t', python_callable=load, op_args=[1])"),
        ("def load(**context): return context['ds']", "task(load)()"),
        ("def load(row): return row['execution_date']", "task(load)({})"),
        ("def load(**context):\n    context['conf'] = 1", "task(load)()"),
        ("def load(**context): return context.get('conf', 1)", "task(load)()"),
        ("def load(): return {'execution_date': 1}['execution_date']", "task(load)()"),
        ("def load(**context):\n    context = {'conf': 1}\n    return context['conf']", "task(load)()"),
    ],
)
def test_code_that_asks_for_what_is_there_is_not_found(look_in_dag: Look, function: str, operator: str) -> None:
    """What a DAG gives itself, what has a fallback, and what is no context."""
    assert look_in_dag(operator, RULE, f"{function}\n") == []


@pytest.mark.skipif(ruffing._ruff() is None, reason="ruff is not installed")
def test_what_only_ruff_knows_is_doubtful(look_in_task: Look) -> None:
    """It may be about another Airflow than the targeted one."""
    body = "from airflow.hooks.base import BaseHook\nhook = BaseHook()\nreturn hook.get_connections('x')"
    (finding,) = look_in_task(body, RULE)
    assert not finding.certain
    assert "get_connections" in finding.message


def test_without_ruff_the_rest_is_found(look_in_dag: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is asked where it is there; one that fails is as good as none."""
    broken = tmp_path / "ruff"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    for found in (None, str(broken)):
        monkeypatch.setattr(ruffing, "_ruff", lambda found=found: found)
        assert len(look_in_dag("DAG('x', concurrency=3, schedule=None)", RULE)) == 1


def test_the_table_of_providers_leads_to_names_that_are_there() -> None:
    """No replacement is gone itself, each release has its month, and the best-known operators are among them."""
    known = provider_names()
    for name, one in known.items():
        assert one.instead not in known, name
        assert re.fullmatch(r"20\d\d-\d\d", one.month)
        assert re.fullmatch(r"\d+\.\d+\.\d+", one.since)
    sql = "airflow.providers.common.sql.operators.sql.SQLExecuteQueryOperator"
    for provider, operator in (("postgres", "Postgres"), ("mysql", "MySql"), ("oracle", "Oracle")):
        assert known[f"airflow.providers.{provider}.operators.{provider}.{operator}Operator"].instead == sql
    assert len(known) > 300


@pytest.mark.parametrize(
    ("line", "way"),
    [
        (
            "from airflow.providers.cncf.kubernetes.operators.kubernetes_pod import KubernetesPodOperator",
            "airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator",
        ),
        (
            "from airflow.providers.amazon.aws.operators.aws_lambda import AwsLambdaInvokeFunctionOperator",
            "airflow.providers.amazon.aws.operators.lambda_function",
        ),
        (
            "from airflow.providers.google.cloud.operators.bigquery import BigQueryExecuteQueryOperator",
            "airflow.providers.google.cloud.operators.bigquery.BigQueryInsertJobOperator",
        ),
        ("from airflow.providers.oracle.operators.oracle import OracleOperator", "SQLExecuteQueryOperator"),
        ("from airflow.providers.slack.transfers.sql_to_slack import SqlToSlackOperator", "SqlToSlackWebhookOperator"),
        ("import airflow.providers.postgres.operators.postgres as old", ""),
        ("from airflow.providers.microsoft.mssql.operators import mssql", ""),
    ],
)
def test_what_a_provider_dropped_is_found_with_what_replaces_it(look: Look, line: str, way: str) -> None:
    """Also modules, and what a module that is gone had in it."""
    (finding,) = look(f'{line}\nfrom airflow.sdk import DAG\nDAG("a", schedule=None)\n', "removed-api")
    assert " was removed in apache-airflow-providers-" in finding.message
    assert way in finding.message


@pytest.mark.parametrize(
    "line",
    [
        "from airflow.providers.postgres.hooks.postgres import PostgresHook",
        "from airflow.providers.http.operators.http import HttpOperator",
        "from airflow.providers.nobody.operators.postgres import PostgresOperator",
        "try:\n    from airflow.providers.http.operators.http import SimpleHttpOperator\nexcept ImportError:\n    pass",
    ],
)
def test_what_a_provider_still_has_is_fine(look: Look, line: str) -> None:
    """And so is an import with a fallback."""
    assert look(f'{line}\nfrom airflow.sdk import DAG\nDAG("a", schedule=None)\n', "removed-api") == []


@pytest.mark.parametrize(
    "body",
    [
        "if AIRFLOW_V_3_0_PLUS:\n    return 1\nelse:\n    session = Session()",
        "if AIRFLOW_V_3_0_PLUS:\n    return 1\nsession = Session()",
        "if Version(airflow.__version__) < Version('3.0'):\n    session = Session()",
    ],
)
def test_code_of_other_versions_is_fine(look_in_task: Look, body: str) -> None:
    """Where the code asks which Airflow it runs on."""
    top = "from airflow.settings import Session\nfrom elsewhere import AIRFLOW_V_3_0_PLUS, Version\nimport airflow\n"
    assert not look_in_task(body, "removed-api", top)
    assert look_in_task("session = Session()", "removed-api", top)
