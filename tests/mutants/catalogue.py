"""All mutants, and those that are tried each time."""

from __future__ import annotations

from tests.mutants.of_comparisons import COMPARISONS
from tests.mutants.of_laws import LAWS
from tests.mutants.of_worlds import WORLD

MUTANTS = (*LAWS, *COMPARISONS, *WORLD)

#: Which are tried each time: a law, a comparison and a fence, all with unit tests.
QUICK = (
    "crash: everything torn is scratch",
    "diff: rows that are there twice",
    "guard: connects anywhere",
)
