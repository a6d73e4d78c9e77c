"""`dagproof check`: which files are looked at, which rules run, what is known already, and how findings are printed."""
