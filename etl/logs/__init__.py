"""Logs: read in whatever of the usual formats they are, no line lost."""
