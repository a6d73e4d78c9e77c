"""Hunts all mutants, or those whose names hold a word: ``python -m tests.mutants [WORD]``."""

from __future__ import annotations

import sys

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutating import hunted


def main(words: list[str]) -> int:
    """Print which test catches each mutant, and after how many seconds."""
    survived = 0
    for mutant in MUTANTS:
        if words and not any(word in mutant.name for word in words):
            continue
        try:
            caught = hunted(mutant)
        except (RuntimeError, ValueError) as error:
            survived += 1
            print(f"| {mutant.name} | **not tried**: {error} | |", flush=True)
            continue
        survived += not caught.test
        print(f"| {mutant.name} | {caught.test or '**survived**'} | {caught.seconds:.1f} |", flush=True)
    return bool(survived)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
