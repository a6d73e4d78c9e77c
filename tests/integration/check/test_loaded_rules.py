"""What importing shows: each rule's own examples, and what no source tells of sensors, schedules, ids and dates."""

from __future__ import annotations

import re
import zipfile

import pytest

from dagproof.explain.text import examples
from dagproof.rules import Rule, all_rules
from tests.integration.check.conftest import Project

pytestmark = pytest.mark.slow

HEAD = """
import datetime
import pendulum
from airflow.sdk import DAG, BaseSensorOperator, Asset, TaskGroup, dag, task
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.filesystem import FileSensor
START = pendulum.datetime(2026, 1, 1)
"""
LOADED = [rule for rule in all_rules() if rule.looks_at_loaded()]


def own_ids(source: str, name: str) -> str:
    """The same DAGs with ids of their own, so that many examples may lie in one folder."""
    for old in ("orders", "order_reports", "orders_report", "orders_of_the_hour", "report", "copy_tables"):
        source = re.sub(rf'(?<=["\s]){old}(?=["(])', f"{name}_{old}", source)
    return source


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Which rules find something in each example: ``rule_bad.py`` and ``rule_good.py``.

    Those that do not import lie elsewhere: where one does not, nothing is known of what does not exist.
    """
    found: dict[str, set[str]] = {}
    for is_broken in (True, False):
        project = Project(tmp_path_factory.mktemp("examples"))
        files = {}
        for rule in LOADED:
            stem = rule.name.replace("-", "_")
            for kind, source in zip(("bad", "good"), examples(rule), strict=True):
                if (f"{stem}_{kind}" in ("import_error_bad", "top_level_io_bad")) == is_broken:
                    files[f"{stem}_{kind}.py"] = own_ids(source, f"{stem}_{kind}")
        found |= {name: set() for name in files}
        for name, rule_name, _ in project.write(files).found():
            found[name].add(rule_name)
    return found


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in LOADED])
def test_the_example_of_a_rule_is_found_and_what_to_use_instead_is_clean(told: dict[str, set[str]], rule: Rule) -> None:
    """When the DAGs are loaded; the first by this rule and no other, the second by none."""
    stem = rule.name.replace("-", "_")
    assert told[f"{stem}_bad.py"] == {rule.name}
    assert told[f"{stem}_good.py"] == set()


def test_loaded_sensors_are_what_they_are(project: Project) -> None:
    """DP301, DP302, DP303: defaults, factories, classes that set their own mode, mapped ones, groups, loops."""
    project.write(
        {
            "a.py": f"""{HEAD}
import helper
class Patient(BaseSensorOperator):
    def __init__(self, **kwargs): super().__init__(**{{"mo" + "de": "reschedule", "timeout": 60, **kwargs}})
    def poke(self, context): return True
class Defers(BaseSensorOperator):
    def execute(self, context): self.defer(trigger=None, method_name="x")
HOW = dict([("mode", "reschedule"), ("timeout", 60)])
with DAG("a", schedule=None, default_args=dict(HOW)) as one:
    FileSensor(task_id="by_default_args", filepath="x")
    FileSensor(task_id="poking_again", filepath="x", **{{"mode": "poke"}})
with DAG("b", schedule=None):
    Patient(task_id="by_class")
    Defers(task_id="by_execute", timeout=5)
    helper.make("by_factory")
    with TaskGroup("g", default_args=HOW):
        FileSensor(task_id="by_group", filepath="x")
    for name in "abc":
        FileSensor(task_id=name, filepath="x", **dict(timeout=5))
    FileSensor.partial(task_id="mapped", **HOW).expand(filepath=["x"])
    FileSensor(task_id="busy", filepath="x", mode="reschedule", timeout=60, poke_interval=float("3"))
""",
            "helper.py": "from airflow.providers.standard.sensors.filesystem import FileSensor\n"
            "def make(name):\n    return FileSensor(task_id=name, filepath='x')\n",
        }
    )
    found = {(one["rule"], one["task_id"]): one for one in project.check("--select", "DP3")["findings"]}
    assert set(found) == {
        ("poke-sensor", "poking_again"),
        ("poke-sensor", "by_factory"),
        ("endless-sensor", "by_factory"),
        ("poke-sensor", "a"),
        ("busy-sensor", "busy"),
    }
    assert [step["path"] for step in found["poke-sensor", "by_factory"]["via"]] == ["dags/helper.py"]
    assert found["poke-sensor", "by_factory"]["path"] == "dags/a.py"


def test_the_installations_defaults_count(project: Project) -> None:
    """[operators] default_deferrable, of the environment or of airflow.cfg: what the source seems to say is wrong."""
    source = f"{HEAD}with DAG('a', schedule=None):\n    FileSensor(task_id='w', filepath='x', timeout=5)\n"
    project.write({"a.py": source})
    assert project.found("--select", "DP301", "--no-import")
    assert project.found("--select", "DP301")
    assert not project.found("--select", "DP301", env={"AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True"})
    (project.root / "airflow.cfg").write_text(
        "[operators]\ndefault_deferrable = True\n[database]\nsql_alchemy_conn = x\n"
    )
    assert not project.found("--select", "DP301", env={"AIRFLOW_HOME": str(project.root)})


ALIGNED = {
    "the_same": ("'0 2 * * *'", "'0 2 * * *'", "", False),
    "an_hour_off": ("'0 3 * * *'", "'0 2 * * *'", "", True),
    "an_hour_off_and_said_so": ("'0 3 * * *'", "'0 2 * * *'", "execution_delta=datetime.timedelta(hours=1)", False),
    "the_wrong_way": ("'0 3 * * *'", "'0 2 * * *'", "execution_delta=datetime.timedelta(hours=-1)", True),
    "a_function": ("'0 3 * * *'", "'0 2 * * *'", "execution_date_fn=lambda d: d.replace(hour=2)", False),
    "a_function_of_the_context": ("'0 3 * * *'", "'0 2 * * *'", "execution_date_fn=lambda d, ti: ti.x", False),
    "a_function_that_is_wrong": ("'0 2 * * *'", "'0 2 * * *'", "execution_date_fn=lambda d: d.add(minutes=1)", True),
    "several_dates": (
        "'0 0 * * *'",
        "'@hourly'",
        "execution_date_fn=lambda d: [d.add(hours=n) for n in (1, 2)]",
        False,
    ),
    "weekdays_only": ("'@daily'", "'0 0 * * 1-5'", "", True),
    "daily_for_hourly": ("'@daily'", "'@hourly'", "", False),
    "a_timedelta": ("'@hourly'", "datetime.timedelta(hours=1)", "", False),
    "by_hand": ("'@daily'", "None", "", False),
    "once": ("'@daily'", "'@once'", "", False),
}


def test_schedules_are_compared(project: Project) -> None:
    """DP304: over the next year, with execution_delta and execution_date_fn."""
    made = [
        f"with DAG('producer_{name}', schedule={producer}, start_date=START): pass\n"
        f"with DAG('{name}', schedule={consumer}, start_date=START):\n"
        f"    ExternalTaskSensor(task_id='wait', external_dag_id='producer_{name}', {how})\n"
        for name, (consumer, producer, how, _) in ALIGNED.items()
    ]
    project.write({"a.py": HEAD + "".join(made)})
    findings = project.check("--select", "misaligned-sensor")["findings"]
    assert {one["dag_id"] for one in findings} == {name for name, (*_, is_found) in ALIGNED.items() if is_found}
    (weekdays,) = [one["message"] for one in findings if one["dag_id"] == "weekdays_only"]
    assert " of its next 36" in weekdays
    (off,) = [one["message"] for one in findings if one["dag_id"] == "an_hour_off"]
    assert "each of its runs" in off


def test_a_change_of_the_clocks_is_seen(project: Project) -> None:
    """DP304: two cities that agree in winter only."""
    project.write(
        {
            "a.py": f"""{HEAD}
with DAG("p", schedule="0 2 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin")): pass
with DAG("c", schedule="0 1 * * *", start_date=START):
    ExternalTaskSensor(task_id="wait", external_dag_id="p")
"""
        }
    )
    (finding,) = project.check("--select", "DP304")["findings"]
    assert finding["task_id"] == "wait"
    assert " of its next 36" in finding["message"]


def test_references_are_followed(project: Project) -> None:
    """DP006: DAGs, tasks, groups, pools and assets; what is templated, or named as being elsewhere, is left alone."""
    files = {
        "a.py": f"""{HEAD}
with DAG("orders", schedule=None):
    with TaskGroup("group"):
        BashOperator(task_id="load", bash_command="true", outlets=[Asset("s3://bucket/orders")])
with DAG("waits", schedule=None):
    ExternalTaskSensor(task_id="right", external_dag_id="orders", external_task_id="group.load")
    ExternalTaskSensor(task_id="right_group", external_dag_id="orders", external_task_group_id="group")
    ExternalTaskSensor(task_id="wrong_dag", external_dag_id="order")
    ExternalTaskSensor(task_id="wrong_task", external_dag_id="orders", external_task_ids=["load"])
    ExternalTaskSensor(task_id="wrong_group", external_dag_id="orders", external_task_group_id="groups")
    ExternalTaskSensor(task_id="templated", external_dag_id="{{{{ params.x }}}}")
    TriggerDagRunOperator(task_id="elsewhere", trigger_dag_id="other_team_x")
    TriggerDagRunOperator(task_id="nowhere", trigger_dag_id="nothing")
    BashOperator(task_id="pool", bash_command="true", pool="smal")
    BashOperator(task_id="own_pool", bash_command="true", pool="small")
with DAG("by_asset", schedule=[Asset("s3://bucket/order")]): pass
with DAG("by_foreign_asset", schedule=[Asset("kafka://somewhere/else")]): pass
"""
    }
    settings = "[tool.dagproof.rules.dangling-reference]\ndags = ['other_team_*']\npools = ['small']\n"
    project.write(files, settings)
    findings = project.check("--select", "DP006")["findings"]
    assert {one["task_id"] or one["dag_id"] for one in findings} == {
        *("wrong_dag", "wrong_task", "wrong_group", "nowhere", "pool", "by_asset")
    }
    (pool,) = [one["message"] for one in findings if one["task_id"] == "pool"]
    assert "did you mean 'small'?" in pool
    part = project.check("--select", "DP006", "dags/a.py")["findings"]
    assert [one["task_id"] for one in part] == ["pool"], "what else there is, is not known"


def test_dates_that_move_are_seen_whatever_computes_them(project: Project) -> None:
    """DP202: by importing again a year later; a date that looks computed and stays is fine."""
    project.write(
        {
            "a.py": f"""{HEAD}
NOW = getattr(pendulum, "no" + "w")
with DAG("moves", schedule=None, start_date=NOW() - datetime.timedelta(days=1)): pass
with DAG("month", schedule=None, start_date=pendulum.now().start_of("month")): pass
with DAG("fixed", schedule=None, start_date=min(pendulum.now(), START)): pass
# now()
"""
        }
    )
    assert {one["dag_id"] for one in project.check("--select", "DP202")["findings"]} == {"moves", "month"}


def test_what_is_said_to_be_known_is_believed(project: Project) -> None:
    """Variables, connections and environment of the configuration reach the files; the user's database does not."""
    source = f"""{HEAD}
import os
from airflow.sdk import Variable, BaseHook
assert Variable.get("day") == "2026-01-01"
assert Variable.get("none", default="x") == "x"
assert BaseHook.get_connection("db").host == "db.example.org"
assert BaseHook.get_connection("other").host == "localhost"
assert os.environ["ROOT"].startswith("/")
assert "AIRFLOW__CORE__SECRET" not in os.environ
assert os.environ["MINE"] == "kept"
with DAG("a", schedule=None): pass
"""
    settings = """[tool.dagproof.world]
variables = { day = "2026-01-01" }
connections = { db = "postgresql://db.example.org/x" }
env = { ROOT = "{files}" }
"""
    project.write({"a.py": source}, settings)
    env = {"AIRFLOW__CORE__SECRET": "x", "MINE": "kept", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://u:p@h/x"}
    found = project.check("--select", "DP001,DP002", env=env)
    assert found["findings"] == []


def test_a_missing_module_may_be_made_to_fail(project: Project) -> None:
    """With an option, where the check runs in the image that Airflow runs in."""
    project.write({"a.py": f"{HEAD}import frobnicate\n"})
    assert project.run("--select", "DP001").returncode == 0
    project.write({}, "[tool.dagproof.rules.import-error]\nmissing-modules = 'fail'\n")
    assert project.run("--select", "DP001").returncode == 1


def test_dags_in_archives_are_loaded(project: Project) -> None:
    """And told as if the archive were a folder."""
    with zipfile.ZipFile(project.root / "dags" / "bundle.zip", "w") as archive:
        archive.writestr("orders.py", f"{HEAD}import helper\nwith DAG('a', schedule=None):\n    helper.make()\n")
        archive.writestr(
            "helper.py",
            "from airflow.providers.standard.sensors.filesystem import FileSensor\n"
            "def make(): FileSensor(task_id='w', filepath='x', timeout=5)\n",
        )
    findings = project.check("--select", "DP0,DP301")["findings"]
    assert [(one["path"], one["rule"], one["task_id"]) for one in findings] == [
        ("dags/bundle.zip/orders.py", "poke-sensor", "w")
    ]


def test_cycles_of_groups_that_a_loop_makes_are_found(project: Project) -> None:
    """DP008: nobody sees them in the source. Groups one after the other, and within one another, are no cycle."""
    project.write(
        {
            "a.py": f"""{HEAD}
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup
def tasks(where):
    made = {{}}
    for name in ("one", "two"):
        with TaskGroup(name):
            made[name] = [EmptyOperator(task_id=f"{{where}}_{{number}}") for number in range(2)]
    return made["one"], made["two"]
with DAG("cyclic", schedule=None):
    one, two = tasks("c")
    one[0] >> two[0]
    two[1] >> one[1]
with DAG("in_order", schedule=None):
    one, two = tasks("o")
    one[0] >> two[0]
    one[1] >> two[1]
    with TaskGroup("outer"):
        with TaskGroup("inner"):
            inner = EmptyOperator(task_id="in")
        inner >> EmptyOperator(task_id="after")
"""
        }
    )
    assert [one["dag_id"] for one in project.check("--select", "cyclic-groups")["findings"]] == ["cyclic"]
