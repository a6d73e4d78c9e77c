"""What ``dagproof check`` prints: SARIF, and findings whose cause lies elsewhere."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from dagproof.rules import all_rules
from tests.unit.check.conftest import POKES, Project
from tests.unit.check.sarif import SCHEMA
from tests.unit.check.test_cache import CALLS, CLOCK


@pytest.fixture
def sarif(project: Project) -> dict[str, Any]:
    """The log of a project with a finding, one by way of a helper, and a file that can't be read."""
    project.write("a b.py", POKES.replace("{name}", "ä"))
    project.write("c.py", CALLS)
    (project.root / "helper.py").write_text(CLOCK)
    (project.dags / "broken.py").write_bytes(b"# airflow dag\ndef f(:\n")
    status, out, _ = project.call("--output-format", "sarif")
    assert status == 1
    return dict(json.loads(out))


def test_sarif_is_valid(sarif: dict[str, Any]) -> None:
    """Against the part of the standard that we use."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(sarif, SCHEMA)


def test_the_schema_would_notice(sarif: dict[str, Any]) -> None:
    """The planted twin of the test above."""
    for spoil in (
        lambda run: run["results"][0].update(level="fatal"),
        lambda run: run["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda run: run.pop("tool"),
        lambda run: run["results"][0].update(color="red"),
    ):
        spoiled = json.loads(json.dumps(sarif))
        spoil(spoiled["runs"][0])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoiled, SCHEMA)


def test_sarif_tells_what_was_found(sarif: dict[str, Any]) -> None:
    """Rules by number, places by URI, the way to a helper, and what could not be looked at."""
    (run,) = sarif["runs"]
    found = {result["ruleId"]: result for result in run["results"]}
    assert set(found) == {"DP301", "DP201"}
    for code, result in found.items():
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == code
    place = found["DP301"]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "dags/a%20b.py"},
        "region": {"startLine": 6, "startColumn": 5, "endLine": 6},
    }
    related = found["DP201"]["relatedLocations"]
    assert [one["physicalLocation"]["artifactLocation"]["uri"] for one in related] == ["helper.py"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dags/broken.py"


def test_all_rules_are_in_it(sarif: dict[str, Any]) -> None:
    """Each with its explanation."""
    (run,) = sarif["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.code for rule in all_rules()]


def test_json_is_what_is_promised(project: Project) -> None:
    """Each key, with its type."""
    project.write("c.py", CALLS)
    (project.root / "helper.py").write_text(CLOCK)
    text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
    maybe = {"type": ["string", "null"]}
    step = {"type": "object", "properties": {"path": text, "line": number}, "required": ["path", "line"]}
    names = {"rule": text, "code": text, "path": text, "message": text, "dag_id": maybe, "task_id": maybe}
    numbers = {"line": number, "column": number, "end_line": number}
    finding = {**names, **numbers, "via": {"type": "array", "items": step}}
    told = project.check()
    assert told["findings"][0]["via"] == [{"path": "helper.py", "line": 3}]
    jsonschema.validate(
        told,
        {
            "required": ["findings", "files", "unreadable"],
            "properties": {
                "files": number,
                "findings": {"items": {"properties": finding, "required": list(finding)}},
                "unreadable": {"items": {"properties": {"path": text, "reason": text}}},
            },
        },
    )
