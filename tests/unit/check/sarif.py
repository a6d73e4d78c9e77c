"""The part of SARIF 2.1.0 that we print, as a JSON schema: stricter than the official one, so what fits it fits both.

Each object is closed, its keys, types and bounds are those of the OASIS standard (errata 01), and what the standard
leaves optional but GitHub's code scanning wants is required. The official schema comes with no package that could be
installed, and is not ours to copy.
"""

from __future__ import annotations

from typing import Any


def record(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    """A closed object: its keys must be those that are named."""
    names = {*required.split(), *optional.split()}
    assert names == set(properties), names ^ set(properties)
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def rows(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": item, **more}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = record("text", text=TEXT)
REGION = record("startLine", "startColumn endLine", startLine=COUNT, startColumn=COUNT, endLine=COUNT)
ARTIFACT = record("uri", uri={"type": "string", "format": "uri-reference", "pattern": r"^[^ \\]+$"})
PHYSICAL = record("artifactLocation", "region", artifactLocation=ARTIFACT, region=REGION)
LOCATION = record(
    "physicalLocation",
    "id message",
    physicalLocation=PHYSICAL,
    id={"type": "integer", "minimum": 0},
    message=MESSAGE,
)
RULE = record(
    "id name shortDescription help defaultConfiguration",
    id=TEXT,
    name={"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
    shortDescription=MESSAGE,
    help=record("text markdown", text=TEXT, markdown=TEXT),
    defaultConfiguration=record("level", level=LEVEL),
)
RESULT = record(
    "ruleId ruleIndex level message locations",
    "relatedLocations occurrenceCount properties",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations=rows(LOCATION, minItems=1, maxItems=1),
    relatedLocations=rows(LOCATION, uniqueItems=True),
    occurrenceCount={"type": "integer", "minimum": 1},
    properties={"type": "object"},  # a bag of anything
)
NOTIFICATION = record("level message locations", level=LEVEL, message=MESSAGE, locations=rows(LOCATION))
RUN = record(
    "tool columnKind results invocations",
    tool=record(
        "driver", driver=record("name version rules", name=TEXT, version=TEXT, rules=rows(RULE, uniqueItems=True))
    ),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=rows(RESULT),
    invocations=rows(
        record(
            "executionSuccessful toolExecutionNotifications",
            executionSuccessful={"type": "boolean"},
            toolExecutionNotifications=rows(NOTIFICATION),
        )
    ),
)
SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": rows(RUN)},
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
}
