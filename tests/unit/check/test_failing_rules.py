"""A rule that fails itself is told, and keeps no other rule from looking."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.check.checking import check
from dagproof.rules import all_rules, rule_named

DAG = """
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG

with DAG("waits", schedule="@daily"):
    FileSensor(task_id="wait", filepath="x", mode="poke")
"""


def test_a_rule_that_fails_is_told_and_the_others_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its name, as a fault of ours, and never as a pass."""

    def fails(*args: object) -> object:
        raise KeyError("planted")

    (tmp_path / "waits.py").write_text(DAG)
    assert not check([tmp_path], all_rules(), base=tmp_path).unreadable
    monkeypatch.setattr(type(rule_named("endless-sensor")), "check", fails)
    checked = check([tmp_path], all_rules(), base=tmp_path)
    (told,) = checked.unreadable
    assert told.path == "waits.py"
    assert told.reason.startswith("the rule endless-sensor failed on it (KeyError: 'planted')")
    assert "poke-sensor" in {finding.rule for finding in checked.findings}
    quiet = check([tmp_path], [rule_named("endless-sensor")], base=tmp_path)
    assert quiet.exit_status == 2
