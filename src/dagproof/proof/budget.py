"""A budget of time for a whole proof: laws take what they need of it, those that find most first."""

from __future__ import annotations

import re
import time
from argparse import ArgumentTypeError
from collections.abc import Iterable
from dataclasses import dataclass

from dagproof.laws import Law

#: How many of the planted bugs each law finds (tests/bugs); `effect` comes first, since without it others say nothing.
_FINDS = {
    "effect": 100, "rerun": 43, "crash": 30, "correction": 25, "order": 24, "deterministic": 22, "overlap": 21,
    "retry": 16, "containment": 16, "backfill": 11, "clock": 9, "late": 9, "outage": 12, "history": 4,
}  # fmt: skip
#: What a law that is not in the list is taken to find.
_SOME = 15
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """Until when new histories may be tried, by ``time.monotonic``; one that is under way comes to its end."""

    text: str
    """As the user wrote it."""
    ends: float

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left of it."""
        return time.monotonic() >= self.ends

    @property
    def setting(self) -> str:
        """The option, as verdicts show it."""
        return f"--budget {self.text}"

    def share(self, laws_left: int) -> Budget:
        """Return what one law may take of it: half of what is left, so that others get something; all for the last."""
        now = time.monotonic()
        return Budget(self.text, self.ends if laws_left < 2 else now + max(0.0, self.ends - now) / 2)


def budget(text: str) -> Budget:
    """Return the budget that an option gives, from now on: ``90``, ``120s``, ``5m``, ``1h``.

    Raises:
        ArgumentTypeError: it is none of these.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if not match or match[2] not in _UNITS or not 0 < float(match[1]) * _UNITS[match[2]] < 1e9:
        raise ArgumentTypeError(f"{text!r} is not a time above 0, such as 90, 120s, 5m or 1h")
    return Budget(text.strip(), time.monotonic() + float(match[1]) * _UNITS[match[2]])


def by_findings(laws: Iterable[Law]) -> list[Law]:
    """Return laws in the order in which they spend a budget."""
    return sorted(laws, key=lambda law: (-_FINDS.get(law.name, _SOME), law.order))
