"""A budget of time: how it is written, who spends it first, and what is left for others."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError

import pytest

from dagproof.laws import all_laws
from dagproof.proof.budget import Budget, budget, by_findings


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("120s", 120), ("1.5m", 90), ("2 min", 120), ("1h", 3600)])
def test_a_budget_is_a_time_from_now(text: str, seconds: float) -> None:
    """In seconds, unless it says otherwise."""
    assert budget(text).ends - time.monotonic() == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize("text", ["", "0", "-3s", "3d", "soon", "1e99", "1" * 40])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what one looks like."""
    with pytest.raises(ArgumentTypeError) as raised:
        budget(text)
    assert str(raised.value) == f"{text!r} is not a time above 0, such as 90, 120s, 5m or 1h"


def test_a_law_takes_half_and_the_last_one_all() -> None:
    """So that the first of them cannot take everything."""
    whole = Budget("100s", time.monotonic() + 100)
    assert whole.share(3).ends - time.monotonic() == pytest.approx(50, abs=1)
    assert whole.share(1) == whole
    spent = Budget("1s", time.monotonic() - 1)
    assert spent.is_spent
    assert spent.share(3).is_spent


def test_what_finds_most_comes_first_and_no_law_is_lost() -> None:
    """After the law without which the others say nothing."""
    names = [law.name for law in by_findings(all_laws())]
    assert names[:3] == ["effect", "rerun", "crash"]
    assert sorted(names) == sorted(law.name for law in all_laws())
