"""DP004: what the scheduler cannot serialize, and what to do where a plugin would make it known."""

from __future__ import annotations

import pytest

from dagproof.loaded.model import LoadedDag, LoadedFile, Schedule
from dagproof.rules import rule_named
from dagproof.rules.base import FINE

HINT = (
    "; name the folder of the plugin that registers it in [tool.dagproof.check] plugins, and import the class as that "
    "plugin does"
)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("ValueError: Unknown priority strategy own.Decreasing", HINT),
        ("TimetableNotRegistered: Timetable class 'own.Noon' is not registered", HINT),
        ("TypeError: cannot serialize an object of type set", ""),
    ],
)
def test_what_only_a_plugin_makes_known_has_a_way_out(reason: str, hint: str) -> None:
    """A timetable, or a strategy of priorities; another value has none."""
    schedule = Schedule("", "", "", (), False)
    dag = LoadedDag("orders", (), frozenset(), schedule, False, None, None, frozenset(), (), (), reason)
    said = rule_named("DP004").judge_dag(dag, LoadedFile("dag.py"))
    assert said == f"the scheduler can't serialize the DAG 'orders': {reason}{hint}"


def test_what_can_be_serialized_is_fine() -> None:
    """There is no reason then."""
    schedule = Schedule("", "", "", (), False)
    dag = LoadedDag("orders", (), frozenset(), schedule, False, None, None, frozenset(), (), (), None)
    assert rule_named("DP004").judge_dag(dag, LoadedFile("dag.py")) == FINE
