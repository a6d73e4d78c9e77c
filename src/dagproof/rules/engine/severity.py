"""How grave an organisation takes a rule: ``[tool.dagproof.rules.poke-sensor] severity = "warning"``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dagproof.errors import ConfigError, nearest
from dagproof.rules import Finding, Rule

KEY = "severity"
ERROR, WARNING = "error", "warning"
LEVELS = (ERROR, WARNING)


def checked(options: Mapping[str, Any], where: str) -> str:
    """Return the severity that a table of options gives; that of an error where it gives none.

    Raises:
        ConfigError: it is no severity.
    """
    level = options.get(KEY, ERROR)
    if level not in LEVELS:
        hint = nearest(level, LEVELS) if isinstance(level, str) else ""
        raise ConfigError(f"{where}.{KEY} is {level!r}; valid severities: {', '.join(LEVELS)}{hint}")
    return str(level)


def applied(findings: Iterable[Finding], rules: Collection[Rule]) -> Iterator[Finding]:
    """Yield findings with the severity of their rules."""
    mild = {rule.name for rule in rules if rule.chosen.get(KEY) == WARNING}
    for finding in findings:
        yield replace(finding, severity=WARNING) if finding.rule in mild else finding
