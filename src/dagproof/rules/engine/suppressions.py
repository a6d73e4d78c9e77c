"""Comments that allow a finding: ``# dagproof: allow poke-sensor (the vendor's API forbids it)``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from dagproof.errors import nearest
from dagproof.rules import Finding, Rule, all_rules
from dagproof.rules.unexplained_suppression import UnexplainedSuppression
from dagproof.rules.unused_suppression import UnusedSuppression

_COMMENT = re.compile(r"#\s*dagproof:\s*allow\b\s*(?P<names>[\w\s,-]*?)\s*(?:\((?P<reason>.*)\)\s*)?$", re.IGNORECASE)


@dataclass
class Suppression:
    """One comment: what it allows, why, and the line that it is about."""

    line: int
    column: int
    names: tuple[str, ...]
    reason: str
    about: int
    """The line it speaks of: its own, or the next one with code where it has a line for itself."""
    used: set[str] = field(default_factory=set)

    def allows(self, finding: Finding) -> bool:
        """Say whether it is about a finding."""
        named = finding.rule in self.names or finding.code in self.names
        return named and finding.line <= self.about <= max(finding.end_line, finding.line)


def suppressions(text: str) -> list[Suppression]:
    """Return the suppression comments of a file."""
    if "dagproof:" not in text:
        return []
    found: list[Suppression] = []
    waiting: list[Suppression] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := _COMMENT.match(token.string)):
                one = _suppression(token, match)
                found.append(one)
                if not token.line[: token.start[1]].strip():
                    waiting.append(one)
            elif waiting and token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
                for one in waiting:
                    one.about = token.start[0]
                waiting = []
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def _suppression(token: tokenize.TokenInfo, match: re.Match[str]) -> Suppression:
    names = tuple(name for name in re.split(r"[\s,]+", match["names"] or "") if name)
    reason = (match["reason"] or "").strip()
    return Suppression(token.start[0], token.start[1] + 1, names, reason, token.start[0])


def apply(
    findings: list[Finding], text: str, path: str, rules: Collection[Rule], *, blind: Collection[str] = ()
) -> list[Finding]:
    """Return what is left of the findings of one file, with what is wrong about its suppressions.

    Of a suppression that speaks of one of the rules `blind`, which could not fully look, it is doubtful whether it is
    used; nothing is said where the rule could not look at all.
    """
    comments = suppressions(text)
    left: list[Finding] = []
    for finding in findings:
        allowing = [comment for comment in comments if comment.allows(finding)]
        for comment in allowing:
            comment.used |= {finding.rule, finding.code}
        if not allowing:
            left.append(finding)
    chosen = {rule.name: rule for rule in rules}
    for comment in comments:
        if UnexplainedSuppression.name in chosen and not comment.reason:
            left.append(_about(comment, chosen[UnexplainedSuppression.name], path, _unexplained(comment)))
        if UnusedSuppression.name in chosen:
            rule = chosen[UnusedSuppression.name]
            for message, name in _unused(
                comment, [one for one in rules if not (one.needs_import and one.name in blind)]
            ):
                left.append(replace(_about(comment, rule, path, message), certain=name not in blind))
    return left


def _unexplained(comment: Suppression) -> str:
    names = ", ".join(comment.names) or "RULE"
    return f"this allows {names} without saying why; write # dagproof: allow {names} (the reason)"


def _unused(comment: Suppression, rules: Collection[Rule]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each name of a comment, and which rule it means."""
    known = {key: rule for rule in all_rules() for key in (rule.name, rule.code)}
    if not comment.names:
        yield "this allows no rule; name one", ""
    for name in comment.names:
        if name not in known:
            yield f"there is no rule {name!r}{nearest(name, known)}", ""
        elif known[name] in rules and name not in comment.used:
            yield f"nothing here is found by {name}; remove it", known[name].name


def _about(comment: Suppression, rule: Rule, path: str, message: str) -> Finding:
    return Finding(rule.name, rule.code, path, comment.line, comment.column, comment.line, message)


def without_duplicates(findings: list[Finding]) -> list[Finding]:
    """Return findings once each, in the order of their lines: one cause may be reached by several tasks."""
    once: dict[object, Finding] = {}
    for finding in findings:
        place = (finding.rule, finding.line, finding.column, finding.via[-1:], replace(finding, task_id=None).message)
        once.setdefault(place, finding)
    return sorted(once.values(), key=lambda f: (f.line, f.column, f.code))
