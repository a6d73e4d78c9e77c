"""What a verdict does not vouch for, and that the configuration shows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagproof.config import FILL_IN, WorldConfig
from dagproof.inside.exchange import LeftOut
from dagproof.proof.omissions import INVENTED, to_fill_in
from dagproof.runs.lab import Lab


@pytest.mark.parametrize(
    ("world", "named"),
    [
        ({}, []),
        ({"variables": {"region": "eu"}, "env": {"API": "FILL IN the form"}}, []),
        ({"variables": {"region": FILL_IN, "team": "a"}}, ["variables.region"]),
        ({"env": {"API": f"https://{FILL_IN}/v1"}}, ["env.API"]),
        ({"connections": {"shop": "{postgres}", "api": {"host": FILL_IN}}}, ["connections.api"]),
    ],
)
def test_values_that_init_left_to_the_user_are_named(world: dict[str, Any], named: list[str]) -> None:
    """Until they are filled in, a proof is about values that nobody has meant."""
    lab = cast("Lab", SimpleNamespace(config=SimpleNamespace(world=WorldConfig(**world))))
    assert list(to_fill_in(lab)) == [LeftOut(name, INVENTED) for name in named]
