"""A plugin of pytest: lets the workers of a proof import the mutated package, as pytest itself does.

A worker sees none of the user's environment, PYTHONPATH included.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dagproof
from dagproof.worlds import worker

_environment = worker._environment
MUTATED = os.environ["DAGPROOF_MUTATED"]

if not Path(dagproof.__file__).is_relative_to(MUTATED):
    raise ImportError(f"dagproof comes from {dagproof.__file__}, and not from {MUTATED}")


def environment(*args: Any, **kwargs: Any) -> dict[str, str]:
    """The worker's environment, with the mutated package first."""
    made = _environment(*args, **kwargs)
    return {**made, "PYTHONPATH": os.pathsep.join([MUTATED, made["PYTHONPATH"]])}


worker._environment = environment
