"""Which rules run: all, or those chosen by name, code or the beginning of a code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagproof.errors import UsageError, nearest
from dagproof.rules import Rule, all_rules


def selected(
    select: Sequence[str] = (), ignore: Sequence[str] = (), extend_select: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """Return the rules that run: those of `select` (all, where it is empty) and `extend_select`, but for `ignore`.

    Raises:
        UsageError: a name leads to no rule (the nearest one is offered), or none is left.
    """
    chosen = _matching(select) if select else set(all_rules())
    chosen = (chosen | _matching(extend_select)) - _matching(ignore)
    if not chosen:
        raise UsageError("no rule is left to check, because all selected rules are also ignored; change one of the two")
    return tuple(rule for rule in all_rules() if rule in chosen)


def split(values: Iterable[str]) -> list[str]:
    """Return the names in options that may be repeated, and may each hold several, with commas between."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _matching(names: Sequence[str]) -> set[Rule]:
    return {rule for name in names for rule in _one(name)}


def _one(name: str) -> list[Rule]:
    rules = all_rules()
    found = [rule for rule in rules if name == rule.name or _begins(rule.code, name)]
    if not found:
        known = [key for rule in rules for key in (rule.name, rule.code)]
        raise UsageError(f"there is no rule {name!r}{nearest(name, known)}")
    return found


def _begins(code: str, name: str) -> bool:
    return name.upper().startswith("DP") and code.startswith(name.upper())
