"""Numbers drawn from SHA-256 of a seed: the same on any machine and with any Python.

The `random` module is not used: its methods may draw differently in another Python version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


class Draw:
    """Numbers drawn from one seed, one after another; 256 bits last for the few draws of a row."""

    def __init__(self, seed: str) -> None:
        self._pool = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")

    def below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1, each as likely as the others."""
        self._pool, number = divmod(self._pool, bound)
        return number

    def low_below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1, the lower the likelier: the lowest of three."""
        return min(self.below(bound), self.below(bound), self.below(bound))

    def happens(self, share: float) -> bool:
        """Tell whether something happens that does so in a `share` of the cases, from 0 to 1."""
        return self.below(1_000_000) < share * 1_000_000

    def pick(self, items: Sequence[_Item]) -> _Item:
        """Return one of the items."""
        return items[self.below(len(items))]
