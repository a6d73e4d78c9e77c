"""What a rule says of itself: its sections, its examples, its page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from dagproof.rules import Rule, all_rules

SECTIONS = ("What it does", "Why is this bad", "Example", "Use instead")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def summary(rule: Rule) -> str:
    """Return the first line of a rule's text, without its stop."""
    return _doc(rule).splitlines()[0].rstrip(".")


def sections(rule: Rule) -> Mapping[str, str]:
    """Return the text below each heading."""
    parts = _HEADING.split(_doc(rule))
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def examples(rule: Rule) -> tuple[str, str]:
    """Return the example that the rule finds, and the one to use instead."""
    found = sections(rule)
    bad, good = (_CODE.search(found[heading] + "\n") for heading in SECTIONS[2:])
    assert bad, f"the example of {rule.name} has no block of Python"
    assert good, f"what {rule.name} says to use instead has no block of Python"
    return bad[1], good[1]


def explanation(rule: Rule) -> str:
    """Return what ``dagproof explain`` prints."""
    return f"{rule.name} ({rule.code})\n\n{_doc(rule)}"


def page(rule: Rule) -> str:
    """Return the rule's page in docs/rules."""
    return f"# {rule.name} ({rule.code})\n\n{_doc(rule)}\n"


def pages() -> dict[str, str]:
    """Return all pages by their file names, with an index."""
    lines = [f"| {rule.code} | [{rule.name}]({rule.name}.md) | {summary(rule)} |" for rule in all_rules()]
    head = "# Rules\n\nWhat `dagproof check` looks for. A rule is a property of a DAG file.\n"
    index = "\n".join([head, "| code | name | breaks when |", "|---|---|---|", *lines, ""])
    return {"README.md": index, **{f"{rule.name}.md": page(rule) for rule in all_rules()}}


def _doc(rule: Rule) -> str:
    return inspect.getdoc(type(rule)) or ""
