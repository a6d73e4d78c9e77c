"""Comments that allow a finding: ``# dagproof: allow poke-sensor (the vendor's API forbids it)``."""

from __future__ import annotations

import difflib
import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache

from dagproof.errors import nearest
from dagproof.loaded.model import Spot
from dagproof.rules import Finding, Rule, all_rules
from dagproof.rules.unexplained_suppression import UnexplainedSuppression
from dagproof.rules.unused_suppression import UnusedSuppression

_COMMENT = re.compile(r"(?:#|--)\s*dagproof:\s*(?P<verb>\w*)(?P<rest>.*)$", re.IGNORECASE)
_UNTIL = re.compile(r"(?:^|\s)until[ \t]+(?P<day>\d{4}-\d{1,2}-\d{1,2})(?=[\s(:,]|$)", re.IGNORECASE)
_NAMES = re.compile(r"\s*[\w-]*\w(?:\s*,\s*[\w-]*\w)*")
_NAME = re.compile(r"\s+(?P<name>[\w-]*\w)(?![\w(:])")
_BEFORE_REASON = re.compile(r"\s*(?::|—|–|--?(?=\s)|,)?\s*")


@dataclass
class Suppression:
    """One comment: what it allows, why, and the line that it is about."""

    line: int
    column: int
    names: tuple[str, ...]
    reason: str
    about: int
    """The line it speaks of: its own, or the next one with code where it has a line for itself."""
    verb: str = "allow"
    until: str = ""
    """The last day on which it holds, as ``YYYY-MM-DD``; empty where it has no end."""
    used: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Whether it does not hold any more."""
        return bool(self.until) and datetime.now().astimezone().date().isoformat() > self.until

    def allows(self, finding: Finding, spot: Spot) -> bool:
        """Say whether it is about a finding that has to do with a place in its file."""
        named = finding.rule in self.names or finding.code in self.names
        if self.verb != "allow" or self.is_over or not named:
            return False
        return spot.line <= self.about <= max(spot.end_line, spot.line)


def suppressions(text: str, *, is_python: bool = True) -> list[Suppression]:
    """Return the suppression comments of a file; in SQL they begin with ``--``."""
    if "dagproof:" not in text:
        return []
    return list(_of_python(text) if is_python else _of_sql(text))


def _of_python(text: str) -> Iterator[Suppression]:
    waiting: list[Suppression] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := _COMMENT.match(token.string)):
                one = _suppression(match, *token.start)
                if not token.line[: token.start[1]].strip():
                    waiting.append(one)
                yield one
            elif waiting and token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
                for one in waiting:
                    one.about = token.start[0]
                waiting = []
    except (tokenize.TokenError, SyntaxError):
        return


def _of_sql(text: str) -> Iterator[Suppression]:
    waiting: list[Suppression] = []
    for number, line in enumerate(text.split("\n"), start=1):
        before, dashes, comment = line.partition("--")
        if before.strip():
            for one in waiting:
                one.about = number
            waiting = []
        if match := _COMMENT.match(dashes + comment):
            one = _suppression(match, number, len(before))
            if not before.strip():
                waiting.append(one)
            yield one


def _suppression(match: re.Match[str], line: int, offset: int) -> Suppression:
    end = _UNTIL.search(match["rest"])
    names, reason = _read(_UNTIL.sub(" ", match["rest"], count=1))
    return Suppression(line, offset + 1, names, reason, line, match["verb"].lower(), end["day"] if end else "")


def _read(rest: str) -> tuple[tuple[str, ...], str]:
    """Return the names of rules and the reason: ``RULE, RULE (reason)``, also after a colon or a dash."""
    found = _NAMES.match(rest)
    if not found:
        return (), rest.strip().strip("()")
    names = [name.strip() for name in found[0].split(",")]
    end = found.end()
    while (more := _NAME.match(rest, end)) and _may_be_rule(more["name"]):
        names.append(more["name"])
        end = more.end()
    reason = rest[end:].strip()
    if reason.startswith("(") and reason.endswith(")"):
        return tuple(names), reason[1:-1].strip()
    return tuple(names), _BEFORE_REASON.sub("", reason, count=1).strip()


def _may_be_rule(word: str) -> bool:
    return word in _known() or ("-" in word and bool(difflib.get_close_matches(word, _known(), cutoff=0.8)))


@cache
def _known() -> dict[str, Rule]:
    return {key: rule for rule in all_rules() for key in (rule.name, rule.code)}


class Suppressions:
    """The comments of all files that findings lead to.

    Args:
        text_of: the text of a file.
    """

    def __init__(self, text_of: Callable[[str], str]) -> None:
        self._text_of = text_of
        self._comments: dict[str, list[Suppression]] = {}

    def of(self, path: str) -> list[Suppression]:
        """Return the comments of one file."""
        if path not in self._comments:
            self._comments[path] = suppressions(self._text_of(path), is_python=not path.endswith(".sql"))
        return self._comments[path]

    def allow(self, finding: Finding) -> bool:
        """Say whether a comment allows a finding: where it is told, at the cause, or on the way between."""
        spots = [finding.spot, *finding.via, *([finding.remedy] if finding.remedy else [])]
        allowing = [one for spot in spots for one in self.of(spot.path) if one.allows(finding, spot)]
        for comment in allowing:
            comment.used |= {finding.rule, finding.code}
        return bool(allowing)

    def judge(
        self, path: str, rules: Collection[Rule], *, blind: Collection[str] = (), is_shared: bool = False
    ) -> Iterator[Finding]:
        """Yield what is wrong with the comments of one file, once all findings have been asked about.

        Of a suppression that speaks of one of the rules `blind`, which could not fully look, it is doubtful whether it
        is used, and so it is in a file that others import (`is_shared`); nothing is said where the rule could not look
        at all.
        """
        chosen = {rule.name: rule for rule in rules}
        seeing = [one for one in rules if not (one.needs_import and one.name in blind)]
        for comment in self.of(path):
            if UnexplainedSuppression.name in chosen and not comment.reason and comment.verb == "allow":
                yield _about(comment, chosen[UnexplainedSuppression.name], path, _unexplained(comment))
            if UnusedSuppression.name in chosen:
                rule = chosen[UnusedSuppression.name]
                for message, name in _unused(comment, seeing):
                    certain = name not in blind and not (name and is_shared)
                    yield replace(_about(comment, rule, path, message), certain=certain)


def _unexplained(comment: Suppression) -> str:
    names = ", ".join(comment.names) or "RULE"
    return f"this allows {names} without a reason; write # dagproof: allow {names} (the reason)"


def _unused(comment: Suppression, rules: Collection[Rule]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each name of a comment, and which rule it means."""
    known = _known()
    if comment.verb != "allow":
        yield f"{comment.verb or 'this'!r} does nothing here; write # dagproof: allow RULE (the reason)", ""
        return
    if not comment.names:
        yield "this allows no rule; name one: # dagproof: allow RULE (the reason)", ""
    if comment.until and not _is_date(comment.until):
        yield f"{comment.until!r} is not a date; write: until YYYY-MM-DD", ""
        return
    if comment.is_over:
        names = ", ".join(comment.names)
        yield f"this allowed {names} until {comment.until}, and that day has passed: fix it, or move the date", ""
        return
    for name in comment.names:
        if name not in known:
            yield f"there is no rule {name!r}{nearest(name, known)}", ""
        elif known[name] in rules and name not in comment.used:
            yield f"{name} finds nothing here; remove this comment", known[name].name


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _about(comment: Suppression, rule: Rule, path: str, message: str) -> Finding:
    return Finding(rule.name, rule.code, Spot(path, comment.line, comment.column, comment.line), message)


def without_duplicates(findings: list[Finding]) -> list[Finding]:
    """Return findings once each, in the order of their lines: one cause may be reached by several tasks."""
    once: dict[object, Finding] = {}
    for finding in findings:
        way = [(step.path, step.line, step.column) for step in finding.via[-1:]]
        place = (finding.rule, finding.line, finding.column, *way, finding.message)
        known = once.setdefault(place, finding)
        if known is not finding:
            more = [one for one in finding.subjects if one not in known.subjects]
            certain = known.certain or finding.certain
            once[place] = replace(known, others=(*known.others, *more), certain=certain)
    return sorted(once.values(), key=lambda f: (f.line, f.column, f.code))
