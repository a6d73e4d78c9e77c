"""What a verdict does not vouch for, worked out from what its law has looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dagproof.histories import History
from dagproof.lab import Lab
from dagproof.laws import Finding, Law
from dagproof.scope import NOT_COMPARED, NOT_TRIED, LeftOut
from dagproof.worlds.snapshot import Snapshot

NOISY = "not compared, as fresh runs differ there"
UNSEEN = "not compared, although a run wrote it"


def left_out(lab: Lab, law: Law, dates: Sequence[str], tried: Mapping[History, Finding]) -> tuple[LeftOut, ...]:
    """Return all that the verdict of `law`, over these histories, does not vouch for."""
    findings = list(tried.values())
    known = {
        *configured(lab, law),
        *(LeftOut(name, NOISY) for finding in findings for name in finding.not_compared),
        *(entry for finding in findings for entry in finding.left_out),
        *lab.scope.left_out,
        *_reported(lab.ran()),
        *_dates_without(dates, tried),
    }
    unseen = {LeftOut(name, UNSEEN) for name in _uncompared(lab) if not _names(lab, law, name)}
    return tuple(sorted(known | unseen, key=lambda entry: (entry.why, entry.setting, entry.what)))


def configured(lab: Lab, law: Law) -> Iterator[LeftOut]:
    """Yield what the configuration keeps out of the comparisons of `law`."""
    yield from (LeftOut(entry, NOT_COMPARED, "ignore") for entry in lab.ignore)
    yield from (LeftOut(entry, NOT_COMPARED, f"exempt.{law.name}") for entry in lab.proof.exempt.get(law.name, ()))


def nothing_left(lab: Lab, law: Law) -> str:
    """Return why nothing that the runs wrote was compared; an empty text where something was, or they wrote nothing."""
    names = {name for before, after in lab.written() for name in _changed(before, after, _names_of(before, after))}
    elsewhere = set(_reported(lab.ran()))
    if names & {*lab.scope.compared.tables, *lab.scope.compared.files} or not (names or elsewhere):
        return ""
    parts = [*sorted(names), *sorted(entry.what for entry in elsewhere)]
    settings = sorted({entry.setting for entry in (*configured(lab, law), *elsewhere) if entry.setting})
    return f"nothing that its runs write is compared: {', '.join(parts)}" + (
        f" ({', '.join(settings)})" if settings else ""
    )


def _reported(reports: Iterable[Mapping[str, Any]]) -> Iterator[LeftOut]:
    """Yield what runs say themselves that nobody compares."""
    for report in reports:
        yield from (LeftOut.from_json(entry) for entry in report.get("left_out", ()))
        yield from _reported(report.get("beside", ()))


def _dates_without(dates: Sequence[str], tried: Iterable[History]) -> Iterator[LeftOut]:
    """Yield the dates that no history has."""
    seen = {date for history in tried for step in history for date in (step.date, step.other)}
    yield from (LeftOut(date, NOT_TRIED) for date in dates if date not in seen)


def _uncompared(lab: Lab) -> set[str]:
    """Return the tables and files that a run wrote and nobody compared."""
    compared = {*lab.scope.compared.tables, *lab.scope.compared.files}
    return {
        name for before, after in lab.written() for name in _changed(before, after, _names_of(before, after) - compared)
    }


def _names(lab: Lab, law: Law, name: str) -> bool:
    """Tell whether the configuration names a table or file, so that its own entry stands for it."""
    everything = [snapshot for pair in lab.written() for snapshot in pair]
    return all(name not in _names_of(law.seen(lab, snapshot.without(lab.ignore))) for snapshot in everything)


def _names_of(*snapshots: Snapshot) -> set[str]:
    return {name for snapshot in snapshots for name in (*snapshot.tables, *snapshot.files)}


def _changed(before: Snapshot, after: Snapshot, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        tables = [snapshot.tables.get(name) for snapshot in (before, after)]
        files = [snapshot.files.get(name) for snapshot in (before, after)]
        if tables[0] != tables[1] or files[0] != files[1]:
            yield name
