"""DP008: task groups that come before and after one another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagproof.loaded.model import LoadedDag, LoadedFile, Schedule
from dagproof.rules import rule_named
from dagproof.rules.base import FINE
from tests.unit.rules.conftest import Look

RULE = "cyclic-groups"
TOP = """
from airflow.sdk import TaskGroup, chain, task_group, Label
from airflow.providers.standard.operators.empty import EmptyOperator
def op(name): return EmptyOperator(task_id=name)
"""
TWO = """
with TaskGroup("a") as a:
    a1, a2 = EmptyOperator(task_id="a1"), EmptyOperator(task_id="a2")
with TaskGroup("b") as b:
    b1, b2 = EmptyOperator(task_id="b1"), EmptyOperator(task_id="b2")
z = EmptyOperator(task_id="z")
"""
FUNCTIONS = """
@task
def one(x=None): return 1
@task
def two(x=None): return 2
@task
def three(x=None): return 3
"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(TWO + "a1 >> b1 >> a2", id="there and back"),
        pytest.param(TWO + "a1 >> b1\nb2 >> a2", id="through other tasks"),
        pytest.param(TWO + "a1 >> b1\na2 << b2", id="shift left"),
        pytest.param(TWO + "a >> b\nb2 >> a2", id="a group and a task"),
        pytest.param(TWO + "a1 >> z >> a2", id="a task beside the group"),
        pytest.param(TWO + "a1.set_downstream(b1)\na2.set_upstream(b2)", id="methods"),
        pytest.param(TWO + "chain(a1, b1, a2)", id="chain"),
        pytest.param(TWO + "chain([a1, b1], [b2, a2])", id="a chain in pairs"),
        pytest.param(TWO + "a1 >> [b1, z]\nb1 >> Label('late') >> a2", id="a list and a label"),
        pytest.param(TWO + "a1 >> b1\nb1 >> z\nz >> a2", id="three members"),
        pytest.param(
            'with TaskGroup("o") as o:\n    with TaskGroup("i") as i:\n'
            '        x, y = EmptyOperator(task_id="x"), EmptyOperator(task_id="y")\n'
            '    z = EmptyOperator(task_id="z")\n    x >> z >> y',
            id="inside of another group",
        ),
        pytest.param(
            f'{FUNCTIONS}with TaskGroup("a"):\n    x = one()\nwith TaskGroup("b"):\n    y = two(x)\n'
            'with TaskGroup("c"):\n    three(y)\nx2 = three.override(task_id="x2")(y)\n'
            'a = TaskGroup("a")\nw = EmptyOperator(task_id="w", task_group=a)\n'
            'c = TaskGroup("c")\nv = EmptyOperator(task_id="v", task_group=c)\n'
            'u = EmptyOperator(task_id="u", task_group=a)\nw >> v >> u',
            id="groups that are arguments",
        ),
        pytest.param(
            f"{FUNCTIONS}@task_group\ndef first():\n    x = one()\n    return x\n"
            "@task_group\ndef second(given):\n    return two(given)\n"
            "x = first()\ny = second(x)\ny >> x",
            id="decorated groups",
        ),
        pytest.param(
            f"{FUNCTIONS}with TaskGroup('a'):\n    x, y = one(), three()\nwith TaskGroup('b'):\n    two(x) >> y",
            id="what functions are given",
        ),
    ],
)
def test_groups_that_come_before_and_after_one_another_are_found(look_in_dag: Look, body: str) -> None:
    """However the order is written: certain, once, at the last line that closes the circle."""
    (finding,) = look_in_dag(body, RULE, TOP)
    assert finding.certain
    assert "depend on each other" in finding.message


def test_the_message_names_the_groups_and_both_ways(look_in_dag: Look) -> None:
    """What a person needs to decide which task moves."""
    (finding,) = look_in_dag(TWO + "a1 >> b1\nb2 >> a2", RULE, TOP)
    for part in ("the task group 'a' and the task group 'b'", "a.a1 comes before b.b1", "b.b2 comes before a.a2"):
        assert part in finding.message
    assert finding.dag_id == "orders"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(TWO + "a >> b >> z", id="a chain of groups"),
        pytest.param(TWO + "a1 >> a2\nb1 >> b2\na2 >> b1\nb2 >> z", id="tasks of one group"),
        pytest.param(TWO + "chain([a1, b1], [a2, b2])", id="a chain in pairs of the same group"),
        pytest.param(TWO + "z >> [a, b]", id="groups side by side"),
        pytest.param(
            'with TaskGroup("o") as o:\n    with TaskGroup("i") as i:\n        x = EmptyOperator(task_id="x")\n'
            '    with TaskGroup("j") as j:\n        y = EmptyOperator(task_id="y")\n    x >> y\n'
            'z = EmptyOperator(task_id="z")\no >> z',
            id="nested groups",
        ),
        pytest.param(TWO + "if d:\n    a1 >> b1\nelse:\n    b1 >> a1", id="one way or the other"),
        pytest.param(
            "last = None\nfor name in ('x', 'y'):\n"
            "    with TaskGroup(name) as g:\n        e = EmptyOperator(task_id='e')\n"
            "    with TaskGroup(name + '2') as h:\n        f = EmptyOperator(task_id='f')\n"
            "    g >> h\n    if last:\n        last >> g\n    last = h",
            id="groups made in a loop",
        ),
        pytest.param(
            f"{FUNCTIONS}@task_group\ndef step(given):\n    return two(one(given))\nstep(step(three()))",
            id="one group function called twice",
        ),
        pytest.param(
            "def pair(name):\n    with TaskGroup(name) as g:\n        x, y = op('x'), op('y')\n    return x, y\n"
            "x1, y1 = pair('m')\nx2, y2 = pair('n')\nx1 >> x2\ny1 >> y2",
            id="groups that a function makes",
        ),
    ],
)
def test_groups_in_order_are_fine(look_in_dag: Look, body: str) -> None:
    """Also where a loop or a function makes several of them at one place."""
    assert not look_in_dag(body, RULE, TOP)


def test_a_loaded_dag_decides() -> None:
    """What importing shows takes the place of what the source seems to say."""
    dag = LoadedDag(
        *("orders", (), frozenset(), Schedule("", "", "", (), False), False, None, None, frozenset(), (), (), None)
    )
    rule, file = rule_named(RULE), LoadedFile("dag.py")
    assert rule.judge_dag(dag, file) is None
    assert rule.judge_dag(replace(dag, group_cycle=()), file) == FINE
    assert "a and b depend on each other" in str(rule.judge_dag(replace(dag, group_cycle=("a", "b")), file))
