"""What ``dagproof init`` finds in a project, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from dagproof.config import FILL_IN

EMPTY_JSON = "{}"
"""The same, where the code expects JSON."""


@dataclass(frozen=True)
class Entry:
    """A line to propose."""

    value: str | None
    """What to write; None where only a comment can be written."""
    at: str
    """Where it was found, as ``path:line``."""
    note: str = ""
    """What a person should know of it."""
    active: bool = True
    """Whether it holds at once, or is a comment to choose."""


@dataclass
class Found:
    """All that was found, each kind by name."""

    dags: str = "dags"
    dag_files: list[str] = field(default_factory=list)
    dag_ids: list[str] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    """Other folders that hold DAG files, and how many."""
    roots: dict[str, Entry] = field(default_factory=dict)
    schema: dict[str, Entry] = field(default_factory=dict)
    paths: dict[str, Entry] = field(default_factory=dict)
    connections: dict[str, Entry] = field(default_factory=dict)
    variables: dict[str, Entry] = field(default_factory=dict)
    env: dict[str, Entry] = field(default_factory=dict)
    hosts: dict[str, Entry] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def to_fill_in(self) -> list[str]:
        """Return the settings whose value only the user knows."""
        tables = {"variables": self.variables, "env": self.env}
        return [
            f"{t}.{name}"
            for t, some in tables.items()
            for name, e in some.items()
            if e.value in (FILL_IN, EMPTY_JSON) and e.active
        ]
