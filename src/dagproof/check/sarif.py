"""What a check found, as SARIF 2.1.0: the format that code scanning of GitHub, Azure and others reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dagproof import __version__
from dagproof.check.checking import Checked
from dagproof.check.grouping import Group
from dagproof.check.text import reach
from dagproof.explain.text import explanation, summary
from dagproof.rules import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def check_sarif(checked: Checked, rules: Sequence[Rule]) -> dict[str, Any]:
    """Return the log of one run; what could not be looked at is told as notifications of the run."""
    numbers = {rule.name: number for number, rule in enumerate(rules)}
    driver = {"name": "dagproof", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(group, numbers) for group in checked.groups],
        "invocations": [
            {
                "executionSuccessful": not checked.unreadable,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": one.told}, "locations": [_location(one.path)]}
                    for one in checked.unreadable
                ],
            }
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": f"{summary(rule)}."},
        "help": {"text": explanation(rule), "markdown": explanation(rule)},
        "defaultConfiguration": {"level": "error"},
    }


def _result(group: Group, numbers: dict[str, int]) -> dict[str, Any]:
    finding = group.told
    region = {"startLine": finding.line, "startColumn": finding.column, "endLine": finding.end_line}
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": "error" if finding.fails else "warning",
        "message": {"text": finding.message},
        "locations": [_location(finding.path, region)],
    }
    result["properties"] = {"count": group.count, "dags": list(group.dags)}
    if group.count > 1:
        result["occurrenceCount"] = group.count
        result["message"]["text"] += f" ({reach(group)})"
    if finding.rule in numbers:
        result["ruleIndex"] = numbers[finding.rule]
    if finding.via:
        result["relatedLocations"] = [
            {
                **_location(step.path, {"startLine": step.line}),
                "id": number,
                "message": {"text": "reached through here"},
            }
            for number, step in enumerate(finding.via, start=1)
        ]
    return result


def _location(path: str, region: dict[str, int] | None = None) -> dict[str, Any]:
    absolute = Path(path).is_absolute()
    quoted = quote(os.fsencode(path))  # a name that is not UTF-8 is a name, too
    place: dict[str, Any] = {"artifactLocation": {"uri": f"file://{quoted}" if absolute else quoted}}
    if region:
        place["region"] = region
    return {"physicalLocation": place}
