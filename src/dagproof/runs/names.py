"""Which names of the configuration name something that is there: a column, a table or a file in any state seen."""

from __future__ import annotations

from dataclasses import dataclass

from dagproof.config import ProofConfig
from dagproof.config.values import KEY_READINGS
from dagproof.stores.snapshot import Snapshot, matches_nothing

#: What it names may be there for a moment only, or never: nothing of it need be seen.
SCRATCH = "scratch"


@dataclass(frozen=True)
class Named:
    """An `entry` of the configuration, under its `key`; it names a column or file, or where it is `whole`, a table."""

    key: str
    entry: str
    whole: bool


class Names:
    """The entries of `ignore`, `exempt` and `scratch`, held against each state that is seen."""

    def __init__(self, proof: ProofConfig) -> None:
        self.unmatched = [Named("ignore", entry, False) for entry in sorted(set(proof.ignore))]
        """The entries that name nothing in the states seen so far."""
        for law, exempt in proof.exempt.items():
            self.unmatched += [Named(f"exempt.{law}", entry, True) for entry in exempt]
        self.unmatched += [Named("history", entry, True) for entry in proof.history]
        if not isinstance(proof.generated_keys, str):
            named = [*proof.generated_keys, *proof.generated_keys.values()]
            self.unmatched += [Named("generated_keys", entry, True) for entry in named if entry not in KEY_READINGS]
        self.unmatched += [Named(SCRATCH, entry, True) for entry in proof.scratch]
        self.is_needed = bool(self.unmatched)
        """Whether there is any entry at all."""
        self.has_seen = False
        self.columns: set[str] = set()
        """What an entry of `ignore` could name."""
        self.places: set[str] = set()
        """What an entry of `exempt` or `scratch` could name whole."""

    def see(self, state: Snapshot) -> None:
        """Look at a state, with all that the configuration ignores."""
        if not self.is_needed:
            return
        self.has_seen = True
        self.columns |= state.names()
        self.places |= {*state.tables, *state.files}
        self.unmatched = [one for one in self.unmatched if matches_nothing(one.entry, [state], whole=one.whole)]
