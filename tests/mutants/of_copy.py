"""A plugin of pytest: refuses to run where the package that is tested is not the copy with the mutant."""

from __future__ import annotations

import os
from pathlib import Path

import dagproof

MUTATED = os.environ["DAGPROOF_MUTATED"]

if not Path(dagproof.__file__).is_relative_to(MUTATED):
    raise ImportError(f"dagproof comes from {dagproof.__file__}, and not from {MUTATED}")
