"""Comments that allow a finding, and what is wrong about them (DP901, DP902)."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

SENSOR = """with DAG("d", schedule=None):
    {above}
    FileSensor({same}
        task_id="w",
        filepath="x",
        timeout=60,{inside}
    )
"""


def found(look: Look, above: str = "pass", same: str = "", inside: str = "") -> list[str]:
    """The rules that are broken."""
    return [f.rule for f in look(HEAD + SENSOR.format(above=above, same=same, inside=inside))]


@pytest.mark.parametrize("name", ["poke-sensor", "DP301"])
@pytest.mark.parametrize("place", ["above", "same", "inside"])
def test_a_reason_allows_a_finding(look: Look, place: str, name: str) -> None:
    """On its lines, or on a line of its own above."""
    assert found(look, **{place: f"# dagproof: allow {name} (the vendor (Acme) forbids more)"}) == []


def test_without_a_reason_it_still_allows(look: Look) -> None:
    """One finding instead of another."""
    assert found(look, same="# dagproof: allow poke-sensor") == ["unexplained-suppression"]
    assert found(look, same="# dagproof: allow poke-sensor ()") == ["unexplained-suppression"]


def test_one_that_allows_nothing_is_a_finding(look: Look) -> None:
    """Because the rule finds nothing there, or because there is no such rule."""
    assert found(look, same="# dagproof: allow wall-clock (why not)") == ["poke-sensor", "unused-suppression"]
    assert found(look, same="# dagproof: allow poke-sensr (typo)") == ["poke-sensor", "unused-suppression"]
    assert found(look, same="# dagproof: allow (all)") == ["poke-sensor", "unused-suppression"]


def test_several_rules_share_a_comment(look: Look) -> None:
    """Each must be used."""
    text = "# dagproof: allow poke-sensor, endless-sensor (a fake)"
    assert found(look, same=text) == ["unused-suppression"]


def test_a_text_that_looks_like_a_suppression_is_none(look: Look) -> None:
    """It is no comment."""
    assert found(look, above='X = "# dagproof: allow poke-sensor (no)"') == ["poke-sensor"]
