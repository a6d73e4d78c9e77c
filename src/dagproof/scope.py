"""The scope of a verdict: what its law has compared, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagproof.worlds.snapshot import Snapshot

#: How many things that were left out for the same reason are named in a text.
MOST_NAMED = 8
NOT_COMPARED, NOT_TRIED = "not compared", "not tried"


@dataclass(frozen=True, order=True)
class LeftOut:
    """Something that a verdict does not vouch for, and why.

    `why` follows `what`, or precedes it where it begins with ``not``: ``publish ran in no history (skipped)``, but
    ``not compared: users.loaded_at``. Where `why` has a colon, `what` stands there: ``also spoke to service s3: neither
    compared nor restored``. `setting` is the key of the DAG's own table, ``world.allow`` and similar, or an
    option such as ``--max-points``; it is empty where no setting leaves it out.
    """

    what: str
    why: str
    setting: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it as in the JSON that ``dagproof prove`` prints."""
        return {"what": self.what, "why": self.why, "setting": self.setting}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> LeftOut:
        """Read what a run's report has under ``left_out``."""
        return cls(str(entry["what"]), str(entry["why"]), str(entry.get("setting", "")))


def sentences(entries: Iterable[LeftOut]) -> list[str]:
    """Return a line for each reason, with all that was left out for it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        groups.setdefault((entry.why, entry.setting), []).append(entry.what)
    return [_sentence(why, setting, list(dict.fromkeys(names))) for (why, setting), names in groups.items()]


def _sentence(why: str, setting: str, names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    named = ", ".join(names[:MOST_NAMED]) + more
    first, _, rest = why.partition(": ")
    text = f"{first} {named}: {rest}" if rest else f"{why}: {named}" if why.startswith("not ") else f"{named} {why}"
    return f"{text} ({setting})" if setting else text


@dataclass
class Compared:
    """The tables and files that were compared: the most rows, and the most bytes, that each of them had."""

    tables: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    def add(self, *snapshots: Snapshot) -> None:
        """Note that these snapshots were compared with each other."""
        for snapshot in snapshots:
            for name, table in snapshot.tables.items():
                self.tables[name] = max(self.tables.get(name, 0), len(table.rows))
            for path, file in snapshot.files.items():
                self.files[path] = max(self.files.get(path, 0), file.size)

    def to_json(self) -> dict[str, dict[str, int]]:
        """Return it as in the JSON that ``dagproof prove`` prints."""
        return {"tables": dict(sorted(self.tables.items())), "files": dict(sorted(self.files.items()))}


@dataclass
class Scope:
    """What the proof of one law has compared and left out, while it is under way."""

    compared: Compared = field(default_factory=Compared)
    left_out: set[LeftOut] = field(default_factory=set)

    def leave_out(self, what: str, why: str, setting: str = "") -> None:
        """Note something that this proof does not compare, or does not try."""
        self.left_out.add(LeftOut(what, why, setting))
