"""How a command ended that a test has run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """The verdicts of the JSON, by law."""
        return {verdict["law"]: verdict for verdict in self.json["verdicts"]}
