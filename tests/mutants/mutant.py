"""A mutant: it weakens one law, one comparison or one fence, and names the tests that have to catch it.

A mutant is the exact text of a file below ``src/dagproof`` and what stands there instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A small weakening of the harness.

    Args:
        name: what it does, in a few words.
        file: the file, below ``src/dagproof``.
        old: a text that is in it just once.
        new: what stands there instead.
        tests: the fewest tests that catch it: paths and ``-k`` as pytest takes them.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def bug(name: str, law: str) -> tuple[str, ...]:
    """The test that a planted bug is found by a law."""
    return ("tests/bugs", "-k", f"test_a_bug_is_found and {name} and {law}", "-m", "deep or not deep")


def unit(place: str, keyword: str) -> tuple[str, ...]:
    """Unit tests with names like this."""
    return (f"tests/unit/{place}", "-k", keyword)


def whole(keyword: str) -> tuple[str, ...]:
    """Whole proofs of modelled DAGs, with names like this."""
    return unit("laws/test_whole_proofs.py", keyword)
