"""Transactions of a day: from a file in the lake, checked, scored by a model, into the database."""
