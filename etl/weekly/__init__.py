"""The shop's week: its files are landed and loaded, moved to the base tables, checked, and reported."""
