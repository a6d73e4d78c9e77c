"""How verdicts are told: text and JSON."""
