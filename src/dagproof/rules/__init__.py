"""Rules: properties of a DAG file. One file each; a file that is put here is a rule from then on."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from dagproof.errors import UsageError, nearest
from dagproof.rules.base import Finding, Rule

__all__ = ["Finding", "Rule", "all_rules", "rule_named"]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in the order of their codes."""
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            importlib.import_module(f"{__name__}.{module.name}")
    rules = [kind() for kind in Rule.__subclasses__() if kind.__module__.startswith(f"{__name__}.")]
    return tuple(sorted(rules, key=lambda rule: rule.code))


def rule_named(name: str) -> Rule:
    """Return the rule with this name or code.

    Raises:
        UsageError: there is none; the nearest name is offered.
    """
    known = {key: rule for rule in all_rules() for key in (rule.name, rule.code)}
    found = known.get(name) or known.get(name.upper())
    if found is None:
        raise UsageError(f"there is no rule {name!r}{nearest(name, known)}")
    return found
