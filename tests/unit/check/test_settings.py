"""``[tool.dagproof]``: options of rules, and what holds for some paths only."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.check.options import configured
from dagproof.config import parse_config
from dagproof.errors import ConfigError
from dagproof.rules import all_rules, rule_named
from tests.unit.check.conftest import Project


def test_a_rule_may_be_left_out_below_a_folder(project: Project) -> None:
    """By its name or code, for a pattern, or for all that lies in a folder."""
    for name in ("new/a.py", "legacy/b.py", "legacy/deep/c.py"):
        project.write(name)
    for pattern in ("dags/legacy", "dags/legacy/**", "**/legacy/**"):
        project.configure(f'[tool.dagproof.paths."{pattern}"]\nignore = ["poke-sensor"]\n')
        assert project.found() == [("dags/new/a.py", "poke-sensor", 6)]
    project.configure('[tool.dagproof.paths."dags/legacy"]\nselect = ["DP2"]\n')
    assert project.found() == [("dags/new/a.py", "poke-sensor", 6)]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ('[tool.dagproof.paths."dags/legasy"]\nignore = ["DP3"]\n', "matches nothing below"),
        ('[tool.dagproof.paths."dags"]\nignore = ["poke-senser"]\n', "did you mean 'poke-sensor'?"),
        ('[tool.dagproof.paths."dags"]\nignores = ["DP3"]\n', "did you mean 'ignore'?"),
        ("[tool.dagproof.rules.slow-imports]\nseconds = 3\n", "did you mean 'slow-import'?"),
        ("[tool.dagproof.rules.slow-import]\nsecond = 3\n", "did you mean 'seconds'?"),
        (
            "[tool.dagproof.rules.slow-import]\nseconds = 'three'\n",
            "must be a number from 0 to 1,000,000,000, not 'three'",
        ),
        ("[tool.dagproof.rules.slow-import]\nseconds = true\n", "must be a number from 0 to 1,000,000,000, not True"),
        ("[tool.dagproof.rules.dangling-reference]\npools = 3\n", "must be a list of strings, not 3"),
        ("[tool.dagproof.rules.poke-sensor]\nmode = 'a'\n", "has no options"),
        ("[tool.dagproof.rules.poke-sensor]\nseverity = 'warn'\n", "valid severities: error, warning"),
        ("[tool.dagproof.check]\ntimeouts = 3\n", "did you mean 'timeout'?"),
    ],
)
def test_what_leads_nowhere_is_refused_with_the_nearest_name(project: Project, settings: str, sentence: str) -> None:
    """With exit status 2, in one sentence."""
    project.write("a.py")
    project.configure(settings)
    status, out, err = project.call()
    assert (status, out) == (2, "")
    assert sentence in err


def test_an_option_reaches_its_rule() -> None:
    """And the others keep their defaults."""
    config = parse_config({"rules": {"slow-import": {"seconds": 3}}}, root=Path.cwd())
    rule = next(rule for rule in configured(all_rules(), config) if rule.name == "slow-import")
    assert (rule.option("seconds"), rule.option("times-median")) == (3, 10.0)
    assert rule == rule_named("slow-import")
    assert rule_named("slow-import").option("seconds") == 5.0


def test_tables_must_be_tables() -> None:
    """Also the new ones."""
    for key in ("check", "paths", "rules"):
        with pytest.raises(ConfigError, match="must be a table"):
            parse_config({key: 3}, root=Path.cwd())
