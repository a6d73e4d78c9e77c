"""What DP007 says is gone is gone from the installed Airflow, and what it says is refused is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from dagproof.source.removed import (
    CONTEXT,
    DAG_PARAMETERS,
    TRIGGER_RULES,
    provider_names,
    removed_name,
    removed_names,
)
from dagproof.source.target import target

IMPORTS = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
there = []
for name in json.load(sys.stdin):
    module, _, member = name.rpartition(".")
    try:
        exec(f"from {module} import {member}", {})
    except ImportError:
        continue
    there.append(name)
print("there:", json.dumps(there))
"""
PARAMETERS = """
import json, sys
from airflow.sdk import DAG
from airflow.sdk.definitions.context import Context
from airflow.utils.trigger_rule import TriggerRule
parameters, rules, keys = json.load(sys.stdin)
there = [key for key in keys if key in Context.__annotations__]
there += [rule for rule in rules if TriggerRule.is_valid(rule)]
for parameter in parameters:
    try:
        DAG("d", schedule=None, **{parameter: None})
    except TypeError:
        continue
    there.append(parameter)
print("there:", json.dumps(there))
"""


def ask(program: str, given: object, home: Path) -> list[str]:
    """What a program in a process of its own finds to be there."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env={**os.environ, "AIRFLOW_HOME": str(home)},
        cwd=home,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("there:"))
    found = json.loads(line.removeprefix("there:"))
    assert isinstance(found, list)
    return found


def test_no_name_that_is_said_to_be_gone_can_be_imported(tmp_path: Path) -> None:
    """Each one, with the version that is installed."""
    gone = [name for name, since in removed_names().items() if since <= target()]
    assert len(gone) > 300
    assert ask(IMPORTS, gone, tmp_path) == []


def test_what_is_newly_gone_is_still_there_in_the_versions_before(tmp_path: Path) -> None:
    """So that nobody is told of it too early; the program finds what is there."""
    later = [name for name, since in removed_names().items() if since > target()]
    assert ask(IMPORTS, [*later, "airflow.sdk.DAG"], tmp_path) == [*later, "airflow.sdk.DAG"]


def test_no_name_that_a_provider_is_said_to_lack_can_be_imported(tmp_path: Path) -> None:
    """Of the providers that are installed here; and what is said to replace it can."""
    here = [name for name, one in provider_names().items() if _is_here(one.package)]
    gone = {name: removed for name in here if (removed := removed_name(name, target()))}
    assert any("postgres" in name for name in gone)
    assert ask(IMPORTS, list(gone), tmp_path) == []
    told = {one.instead for one in gone.values()}
    ways = {way for way in told if way.startswith("airflow.providers.") and " " not in way}
    ours = sorted(way for way in ways if any(way.startswith(_prefix(one)) for one in _packages()))
    assert ask(IMPORTS, ours, tmp_path) == ours


def _packages() -> list[str]:
    return sorted({one.package for one in provider_names().values() if _is_here(one.package)})


def _prefix(package: str) -> str:
    return "airflow.providers." + package.removeprefix("apache-airflow-providers-").replace("-", ".") + "."


def _is_here(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def test_parameters_rules_and_variables_are_refused(tmp_path: Path) -> None:
    """By the class itself, by the list of rules, and by the context; what is there is seen to be there."""
    given = [[*DAG_PARAMETERS, "tags"], [*TRIGGER_RULES, "all_done"], [*CONTEXT, "ds"]]
    assert ask(PARAMETERS, given, tmp_path) == ["ds", "all_done", "tags"]
