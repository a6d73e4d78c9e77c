"""DP503: a task where branches meet again needs a trigger rule that lets it run."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "skipped-join"
TOP = """
from airflow.sdk import chain, TriggerRule
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.providers.common.sql.operators.sql import BranchSQLOperator
from somewhere import pick
def one(): return "a"
"""
WAYS = """
@task.branch
def choose(ds=None):
    return "a" if ds else "b"
start, a, b, c = choose(), EmptyOperator(task_id="a"), EmptyOperator(task_id="b"), EmptyOperator(task_id="c")
"""


@pytest.mark.parametrize(
    "body",
    [
        "start >> [a, b] >> EmptyOperator(task_id='end')",
        "start >> a\nstart >> b\nEmptyOperator(task_id='end') << [a, b]",
        "start.set_downstream([a, b])\nend = EmptyOperator(task_id='end')\na >> end\nb >> end",
        "chain(start, [a, b], EmptyOperator(task_id='end'))",
        "start >> [a, b]\na >> c\n[c, b] >> EmptyOperator(task_id='end')",
        "end = EmptyOperator(task_id='end', trigger_rule='all_success')\nstart >> [a, b] >> end",
        "end = EmptyOperator(task_id='end', trigger_rule=TriggerRule.ALL_SUCCESS)\nstart >> [a, b] >> end",
        "start >> [a, b] >> EmptyOperator(task_id='end') >> EmptyOperator(task_id='after')",
        "@task\ndef end(x, y): pass\n@task\ndef a(): return 1\n@task\ndef b(): return 1\n"
        "x, y = a(), b()\nstart >> [x, y]\nend(x, y)",
        "sql = BranchSQLOperator(task_id='s', sql='x', follow_task_ids_if_true='a', follow_task_ids_if_false='b')\n"
        "sql >> [a, b] >> EmptyOperator(task_id='end')",
        "op = BranchPythonOperator(task_id='op', python_callable=one)\nop >> [a, b] >> EmptyOperator(task_id='end')",
    ],
)
def test_a_join_of_branches_is_found(look_in_dag: Look, body: str) -> None:
    """However the order is written, through further tasks, once."""
    (finding,) = look_in_dag(WAYS + body, RULE, TOP)
    assert (finding.task_id, finding.certain) == ("end", True)


def test_a_branch_that_chooses_a_task_that_needs_another_way_is_found(look_in_dag: Look) -> None:
    """To go on at once, or over a task in between: going on at once never happens."""
    body = "start >> [a, b]\na >> b"
    (finding,) = look_in_dag(WAYS + body, RULE, TOP)
    assert (finding.task_id, finding.certain) == ("b", True)


@pytest.mark.parametrize(
    "body",
    [
        "start >> [a, b] >> EmptyOperator(task_id='end', trigger_rule='none_failed_min_one_success')",
        "start >> [a, b] >> EmptyOperator(task_id='end', trigger_rule=TriggerRule.NONE_FAILED)",
        "start >> [a, b] >> EmptyOperator(task_id='end', trigger_rule=pick())",
        "start >> [a, b]\na >> EmptyOperator(task_id='end')",
        "start >> [a, b]\n[a, c] >> EmptyOperator(task_id='end')",
        "c >> [a, b] >> EmptyOperator(task_id='end')",
        "start >> a >> b >> EmptyOperator(task_id='end')",
        "mid = EmptyOperator(task_id='mid', trigger_rule='all_done')\nstart >> [a, b] >> mid >> c",
        "@task.branch\ndef both(): return ['a', 'b']\nboth() >> [a, b] >> EmptyOperator(task_id='end')",
        "@task.short_circuit\ndef go(): return True\ngo() >> [a, b] >> EmptyOperator(task_id='end')",
    ],
)
def test_what_may_run_is_not_found(look_in_dag: Look, body: str) -> None:
    """Another trigger rule, one way alone, a branch that takes both, no branch at all."""
    assert look_in_dag(WAYS + body, RULE, TOP) == []


def test_a_branch_that_may_choose_several_is_doubtful(look_in_dag: Look) -> None:
    """What it returns can't be told."""
    body = (
        "op = BranchPythonOperator(task_id='op', python_callable=lambda: pick())\n"
        "op >> [a, b] >> EmptyOperator(task_id='end')"
    )
    (finding,) = look_in_dag(WAYS + body, RULE, TOP)
    assert not finding.certain
    assert "unless it chooses all" in finding.message
