"""How rules are chosen, run over a folder, suppressed, and documented."""
