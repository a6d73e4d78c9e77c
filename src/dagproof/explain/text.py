"""What a rule or a law says of itself: its sections, its examples, its page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from dagproof.laws import Law, all_laws
from dagproof.rules import Rule, all_rules

SECTIONS = ("What it does", "Why is this bad", "Example", "Use instead")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_CODE = re.compile(r"^```(?:python|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def summary(explained: Rule | Law) -> str:
    """Return the first line of the text, without its stop."""
    return _doc(explained).splitlines()[0].rstrip(".")


def sections(explained: Rule | Law) -> Mapping[str, str]:
    """Return the text below each heading."""
    parts = _HEADING.split(_doc(explained))
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def examples(explained: Rule | Law) -> tuple[str, str]:
    """Return the example of what fails, and the one to use instead."""
    found = sections(explained)
    bad, good = (_CODE.search(found[heading] + "\n") for heading in SECTIONS[2:])
    assert bad, f"the example of {explained.name} has no block of code"
    assert good, f"what {explained.name} says to use instead has no block of code"
    return bad[1], good[1]


def explanation(explained: Rule | Law) -> str:
    """Return what ``dagproof explain`` prints."""
    return f"{_title(explained)}\n\n{_text(explained)}"


def page(explained: Rule | Law) -> str:
    """Return the page in docs/rules or docs/laws."""
    return f"# {_title(explained)}\n\n{_text(explained)}\n"


def rule_pages() -> dict[str, str]:
    """Return the pages of all rules by their file names, with an index."""
    lines = [f"| {rule.code} | [{rule.name}]({rule.name}.md) | {summary(rule)} |" for rule in all_rules()]
    head = "# Rules\n\nWhat `dagproof check` looks for. A rule is a property of a DAG file.\n"
    index = "\n".join([head, "| code | name | fails when |", "|---|---|---|", *lines, ""])
    return {"README.md": index, **{f"{rule.name}.md": page(rule) for rule in all_rules()}}


def law_pages() -> dict[str, str]:
    """Return the pages of all laws by their file names, with an index."""
    lines = [f"| [{law.name}]({law.name}.md) | {law.promise} | {law.verdict} |" for law in all_laws()]
    head = (
        "# Laws\n\nWhat `dagproof prove` tries. A law is a relation between runs: one history must leave the same rows "
        "as another.\nIt judges rows, never the SQL that wrote them.\n"
    )
    index = "\n".join([head, "| law | what holds | verdict when it fails |", "|---|---|---|", *lines, ""])
    return {"README.md": index, **{f"{law.name}.md": page(law) for law in all_laws()}}


def _title(explained: Rule | Law) -> str:
    if isinstance(explained, Rule):
        return f"{explained.name} ({explained.code})"
    return f"{explained.name} ({explained.verdict} when it fails)"


def _text(explained: Rule | Law) -> str:
    if isinstance(explained, Rule):
        return _doc(explained)
    first, _, rest = _doc(explained).partition("\n")
    return f"{first}\n\n    {explained.relation}\n{rest}"


def _doc(explained: Rule | Law) -> str:
    return inspect.getdoc(type(explained)) or ""
