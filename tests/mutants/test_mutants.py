"""Each weakening of the harness is caught by a test."""

from __future__ import annotations

import pytest

from tests.mutants.catalogue import MUTANTS, QUICK
from tests.mutants.mutant import Mutant
from tests.mutants.mutating import hunted, mutated

each = [pytest.param(mutant, id=mutant.name) for mutant in MUTANTS]


@pytest.mark.parametrize("mutant", each)
def test_a_mutant_applies(mutant: Mutant) -> None:
    """What it changes is there, once: a mutant that changes nothing would survive for no reason."""
    assert mutated(mutant)


def test_there_are_mutants_of_each_law_and_comparison() -> None:
    """And no two have the same name."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
    assert set(QUICK) <= {mutant.name for mutant in MUTANTS}


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=mutant.name, marks=[] if mutant.name in QUICK else [pytest.mark.deep])
        for mutant in MUTANTS
    ],
)
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    """By the tests that it names."""
    caught = hunted(mutant)
    assert caught.test, caught.output[-2000:]
