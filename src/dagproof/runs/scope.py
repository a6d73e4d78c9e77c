"""The scope of a verdict: what its law has compared, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagproof.histories import History
from dagproof.histories.steps import count
from dagproof.inside.exchange import LeftOut, RunReport
from dagproof.stores.diff import differing_names
from dagproof.stores.snapshot import Snapshot

if TYPE_CHECKING:
    from dagproof.runs.lab import Lab

#: How many things that were left out for the same reason are named in a text.
MOST_NAMED = 8
NOT_COMPARED, NOT_TRIED = "not compared", "not tried"
NOT_RUN = "not run, but taken out"
ASIDE = ": neither compared nor restored"
UNSEEN = "not compared, although a run wrote it"


def sentences(entries: Iterable[LeftOut]) -> list[str]:
    """Return a line for each reason, with all that was left out for it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        groups.setdefault((entry.why, entry.setting), []).append(entry.what)
    return [_sentence(why, setting, list(dict.fromkeys(names))) for (why, setting), names in groups.items()]


def unseen(lab: Lab, histories: Sequence[History]) -> str:
    """Return what histories write and no law compares, with the settings for that; an empty text for nothing."""
    ignored: set[str] = set()
    for written in lab.written(*histories):
        ignored |= written.changed
        ignored -= differing_names(written.before, written.after)
    elsewhere = list(reported(lab.ran(*histories)))
    names = [*sorted(ignored), *(entry.what for entry in elsewhere)]
    return listed(names, ["ignore"] * bool(ignored) + [entry.setting for entry in elsewhere])


def listed(names: Iterable[str], settings: Iterable[str]) -> str:
    """Return ``balances, audit (exempt.crash, ignore)``, each of them once."""
    shown = ", ".join(dict.fromkeys(setting for setting in settings if setting))
    return ", ".join(dict.fromkeys(names)) + (f" ({shown})" if shown else "")


def reported(reports: Iterable[RunReport]) -> Iterator[LeftOut]:
    """Yield what runs themselves report that nobody compares."""
    for report in with_beside(reports):
        yield from report.left_out


def with_beside(reports: Iterable[RunReport]) -> Iterator[RunReport]:
    """Yield reports, and those of the runs that were made beside them."""
    for report in reports:
        yield report
        yield from with_beside(report.beside)


def _sentence(why: str, setting: str, names: list[str]) -> str:
    named = _some(names)
    if why.endswith(ASIDE):
        text = f"{why.removesuffix(ASIDE)} {named}{ASIDE}"
    else:
        text = f"{why}: {named}" if why.startswith("not ") else f"{named} {why}"
    return f"{text} ({setting})" if setting else text


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


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

    def shown(self) -> list[str]:
        """Return ``2 tables: orders (8 rows), audit (1 row)``, and a line like that for files; nothing for nothing."""
        kinds = (("table", "row", self.tables), ("file", "byte", self.files))
        return [
            f"{count(len(of), kind)}: {_some([f'{name} ({count(of[name], unit)})' for name in sorted(of)])}"
            for kind, unit, of in kinds
            if of
        ]

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
