"""``--fix`` rewrites what has one certain fix, ``--diff`` prints it, and nothing is written that would not parse."""

from __future__ import annotations

import ast

import pytest

from dagproof.rules.engine import fixing
from tests.unit.check.conftest import Project

HEAD = "import pendulum\nfrom airflow.sdk import DAG\n"
SENSOR = "from airflow.providers.standard.sensors.filesystem import FileSensor\n"


def fixed(project: Project, text: str) -> str:
    """What becomes of a file."""
    path = project.dags / "dag.py"
    path.write_bytes(text.encode())
    project.call("--fix")
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("FileSensor(task_id='w', timeout=1)", "FileSensor(task_id='w', timeout=1, mode=\"reschedule\")"),
        ("FileSensor(task_id='w', mode='poke', timeout=1)", "FileSensor(task_id='w', mode=\"reschedule\", timeout=1)"),
        ("FileSensor(task_id='ü', timeout=1,)", "FileSensor(task_id='ü', timeout=1, mode=\"reschedule\",)"),
        (
            "FileSensor.partial(task_id='w', timeout=1).expand(filepath=[])",
            "FileSensor.partial(task_id='w', timeout=1, mode=\"reschedule\").expand(filepath=[])",
        ),
        ("FileSensor(task_id='w', timeout=1, deferrable=True)", "FileSensor(task_id='w', timeout=1, deferrable=True)"),
        ("FileSensor(task_id='w', timeout=1, **{})", "FileSensor(task_id='w', timeout=1, **{})"),
    ],
)
def test_a_sensor_that_pokes_is_rescheduled(project: Project, call: str, expected: str) -> None:
    """With its mode given anew, or in the place of another."""
    top = f"{HEAD}{SENSOR}with DAG('dä', schedule=None):\n    "
    assert fixed(project, f"{top}{call}  # kept\n") == f"{top}{expected}  # kept\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from airflow.operators.python_operator import PythonOperator, BranchPythonOperator as B\n",
            "from airflow.providers.standard.operators.python import PythonOperator, BranchPythonOperator as B\n",
        ),
        (
            "from airflow.operators.dummy import DummyOperator\nx = DummyOperator\n",
            "from airflow.providers.standard.operators.empty import EmptyOperator\nx = EmptyOperator\n",
        ),
        (
            "from airflow.operators.dummy import DummyOperator\nEmptyOperator = 1\nx = DummyOperator\n",
            "from airflow.providers.standard.operators.empty import EmptyOperator as DummyOperator\n"
            "EmptyOperator = 1\nx = DummyOperator\n",
        ),
        (
            "from airflow.operators.python_operator import PythonOperator, Unheard\n",
            "from airflow.operators.python_operator import PythonOperator, Unheard\n",
        ),
        (
            "from airflow.operators.dummy import (  # noqa\n    DummyOperator,\n)\n",
            "from airflow.operators.dummy import (  # noqa\n    DummyOperator,\n)\n",
        ),
    ],
)
def test_names_that_moved_are_imported_from_where_they_are(project: Project, before: str, after: str) -> None:
    """And get their new name where that is free."""
    rest = "with DAG('d', schedule=None):\n    pass\n"
    assert fixed(project, f"{HEAD}{before}{rest}") == f"{HEAD}{after}{rest}"


def test_parameters_get_their_new_names(project: Project) -> None:
    """Unless the new one is given, too; line ends stay what they were."""
    text = HEAD + "with DAG('d', schedule_interval='@daily', catchup=True):\r\n    pass\r\n"
    assert fixed(project, text) == text.replace("schedule_interval", "schedule")
    both = HEAD + "with DAG('d', schedule_interval='@daily', schedule=None, catchup=True):\n    pass\n"
    assert fixed(project, both) == both


def test_a_diff_changes_nothing(project: Project) -> None:
    """It says what would change, with the status of a finding; without one there is nothing to print."""
    path = project.write("a.py")
    before = path.read_bytes()
    status, text, _ = project.call("--diff")
    assert status == 1
    assert '+    FileSensor(task_id="wait", filepath="orders.csv", timeout=60, mode="reschedule")' in text
    assert path.read_bytes() == before
    project.call("--fix")
    assert project.call("--diff")[:2] == (0, "")


def test_what_is_fixed_is_not_found_again(project: Project) -> None:
    """And the number is told, beside the report."""
    project.write("a.py")
    status, text, error = project.call("--fix", "--output-format", "json", "--select", "poke-sensor")
    assert (status, '"findings": []' in text) == (0, True)
    assert "fixed 1 findings in 1 files" in error


def test_a_doubtful_finding_is_not_fixed(project: Project) -> None:
    """A class that is not known may defer by itself."""
    text = (
        f"{HEAD}from somebody import OurSensor\nwith DAG('d', schedule=None):\n    OurSensor(task_id='w', timeout=1)\n"
    )
    assert fixed(project, text) == text


def test_a_file_that_would_no_longer_parse_is_left_as_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the reason is told."""
    path = project.write("a.py")
    before = path.read_bytes()
    broken = {"poke-sensor": lambda source, spot: [fixing.Edit(0, 0, "(")]}
    monkeypatch.setattr(fixing, "_FIXERS", broken)
    _, _, error = project.call("--fix")
    assert path.read_bytes() == before
    assert "dags/a.py is left as it is: it would no longer parse" in error
    ast.parse(before)
