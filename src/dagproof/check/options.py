"""What the configuration says of rules: their options, and where which of them hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dagproof.check import severity
from dagproof.check.selection import selected
from dagproof.config import Config, PathConfig
from dagproof.config.values import MOST
from dagproof.errors import ConfigError, nearest
from dagproof.rules import Rule, all_rules

KINDS = {float: f"a number from 0 to {MOST:,}", str: "a string", bool: "true or false", tuple: "a list of strings"}


def configured(rules: Collection[Rule], config: Config) -> tuple[Rule, ...]:
    """Return rules with the options that the configuration gives them.

    Raises:
        ConfigError: it names a rule or an option that does not exist, or a value has the wrong type.
    """
    known = {rule.name: rule for rule in all_rules()}
    chosen = {}
    for name, options in config.rules.items():
        if name not in known:
            raise ConfigError(f"[tool.dagproof.rules] has no rule {name!r}{nearest(name, known)}")
        chosen[name] = _checked(known[name], options)
    return tuple(rule.with_options(chosen.get(rule.name, {})) for rule in rules)


def _checked(rule: Rule, options: Mapping[str, Any]) -> dict[str, Any]:
    where = f"tool.dagproof.rules.{rule.name}"
    if not rule.options and set(options) - {severity.KEY}:
        raise ConfigError(
            f"[{where}] has keys, but the rule {rule.name} has no options; only {severity.KEY} can be set for it"
        )
    found: dict[str, Any] = {severity.KEY: severity.checked(options, where)} if severity.KEY in options else {}
    for key, value in options.items():
        if key == severity.KEY:
            continue
        if key not in rule.options:
            raise ConfigError(f"[{where}] has no key {key!r}{nearest(key, [*rule.options, severity.KEY])}")
        found[key] = _value(value, rule.options[key], f"{where}.{key}")
    return found


def _value(value: object, default: object, where: str) -> object:
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
    elif isinstance(default, float):
        fits = isinstance(value, int | float) and 0 <= value <= MOST
    elif isinstance(default, tuple):
        value = [value] if isinstance(value, str) else value
        fits = isinstance(value, list) and all(isinstance(one, str) for one in value)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise ConfigError(f"{where} must be {KINDS[type(default)]}, not {value!r}")
    return tuple(value) if isinstance(value, list) else value


def by_path(rules: Sequence[Rule], config: Config, base: Path) -> Callable[[str], Collection[Rule]]:
    """Return which of some rules hold for a path, told relative to `base`.

    Raises:
        ConfigError: a pattern matches no file, or names a rule that does not exist.
    """
    settings = []
    for pattern, one in config.paths.items():
        where = f"[tool.dagproof.paths.{pattern!r}]"
        try:
            found = any(config.root.glob(_for_glob(pattern)))
        except (ValueError, NotImplementedError, OSError) as error:
            raise ConfigError(f"{where} is not a pattern of paths ({error}); fix the pattern") from None
        if not found:
            raise ConfigError(f"{where} matches nothing below {config.root}; fix the pattern or remove the table")
        settings.append((pattern, _left(rules, one)))

    def rules_for(path: str) -> Collection[Rule]:
        left = list(rules)
        absolute = (base / path).resolve()
        inside = absolute.relative_to(config.root).as_posix() if absolute.is_relative_to(config.root) else path
        for pattern, some in settings:
            if matches(inside, pattern):
                left = [rule for rule in left if rule in some]
        return left

    return rules_for if settings else lambda path: rules


def _left(rules: Sequence[Rule], one: PathConfig) -> set[Rule]:
    chosen = set(selected(one.select)) if one.select else set(rules)
    return chosen - (set(selected(one.ignore)) if one.ignore else set())


def matches(path: str, pattern: str) -> bool:
    """Say whether a path matches a pattern; one that names a folder matches all that is in it."""
    pattern = pattern.strip("/")
    return (
        fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}/*") or fnmatchcase(path, pattern.replace("**/", ""))
    )


def _for_glob(pattern: str) -> str:
    return pattern.strip("/") or "*"
