"""What every rule has, so that one can be told, explained, chosen and believed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dagproof.rules
from dagproof.errors import UsageError
from dagproof.rules import Rule, all_rules, rule_named
from dagproof.rules.engine.explaining import SECTIONS, examples, pages, sections, summary
from dagproof.rules.engine.selection import selected
from tests.unit.rules.conftest import Look

DOCS = Path(__file__).parents[3] / "docs" / "rules"

ASKED = ("missing-metadata",)
"""They find what the configuration asks for; tests/unit/check has them."""
TOO = {"unstable-key": ("random-source",)}

rules = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in all_rules()])
of_source = pytest.mark.parametrize(
    "rule",
    [pytest.param(rule, id=rule.name) for rule in all_rules() if not rule.needs_import and rule.name not in ASKED],
)
"""Those that see something in the source alone; tests/integration/check has the others, with Airflow."""


def test_each_file_is_a_rule() -> None:
    """Nothing is registered anywhere: a file in the folder is enough."""
    files = {path.stem for path in Path(dagproof.rules.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert {rule.name.replace("-", "_") for rule in all_rules()} == files


def test_names_and_codes_are_unique() -> None:
    """Both may be written in a suppression."""
    assert len({rule.name for rule in all_rules()} | {rule.code for rule in all_rules()}) == 2 * len(all_rules())
    assert all(re.fullmatch(r"DP\d{3}", rule.code) for rule in all_rules())


@rules
def test_a_rule_is_explained(rule: Rule) -> None:
    """In four sections, each with something in it, in this order."""
    assert list(sections(rule)) == list(SECTIONS)
    assert all(sections(rule).values())
    assert 0 < len(summary(rule)) < 80


@of_source
def test_the_example_of_a_rule_is_found_and_what_to_use_instead_is_clean(rule: Rule, look: Look) -> None:
    """The first by this rule and no other, unless it can't but break that one too; the second by none at all."""
    bad, good = examples(rule)
    assert {finding.rule for finding in look(bad)} == {rule.name, *TOO.get(rule.name, ())}
    assert look(good) == []


@of_source
def test_a_rule_has_its_fixture_among_the_tests(rule: Rule) -> None:
    """Some test of this folder speaks of it by its code."""
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    assert any(rule.code in text for text in texts if text)


def test_the_pages_are_generated() -> None:
    """Word for word; ``python -m dagproof.rules.engine.pages docs/rules`` writes them."""
    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert written == pages()


def test_a_rule_is_found_by_name_and_by_code() -> None:
    """In upper or lower case."""
    assert rule_named("wall-clock") is rule_named("DP201") is rule_named("dp201")


def test_an_unknown_rule_is_refused_with_the_nearest_name() -> None:
    """Also in a selection."""
    with pytest.raises(UsageError, match="did you mean 'wall-clock'"):
        rule_named("wallclock")
    with pytest.raises(UsageError, match="did you mean 'poke-sensor'"):
        selected(ignore=["poke-senser"])


@pytest.mark.parametrize(
    ("select", "ignore", "extend", "codes"),
    [
        (["DP201"], [], [], {"DP201"}),
        (["DP3"], ["endless-sensor"], ["wall-clock"], {"DP301", "DP303", "DP304", "DP201"}),
        (["dp30"], [], [], {"DP301", "DP302", "DP303", "DP304"}),
        ([], [], [], {rule.code for rule in all_rules()}),
    ],
)
def test_rules_are_chosen(select: list[str], ignore: list[str], extend: list[str], codes: set[str]) -> None:
    """By name, code, or how a code begins."""
    assert {rule.code for rule in selected(select, ignore, extend)} == codes


def test_a_selection_of_nothing_is_refused() -> None:
    """It would be clean, whatever the files hold."""
    with pytest.raises(UsageError, match="no rule is left"):
        selected(["DP201"], ["wall-clock"])
