"""What runs reveal of the configuration: names of nothing, and corrections that cannot be made."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from dagproof.errors import nearest
from dagproof.histories import Step
from dagproof.laws import Law, NotApplicableError
from dagproof.laws.base import active
from dagproof.runs.lab import Lab
from dagproof.runs.names import SCRATCH, Named, Names
from dagproof.runs.references import check_names
from dagproof.stores.naming import spellings
from dagproof.worlds.failing import RunFailedError

#: How alike an entry and a table or column have to be for the one to be the misspelt name of the other.
MISSPELT = 0.85
#: How many columns of a table are named.
MOST_COLUMNS = 6
#: What these laws look at may be there in the middle of a run only.
EXEMPT_OF_DISASTERS = ("exempt.crash", "exempt.overlap", "exempt.history")


def check_configuration(lab: Lab, laws: Iterable[Law]) -> None:
    """Run each date once, which all laws need, and report what that reveals of the configuration.

    Raises:
        ConfigError: it misspells a table or column, or a correction cannot be made.
    """
    try:
        first = active(lab)[0]
        for date in lab.dates:
            lab.state((Step("run", date),))
    except (RunFailedError, NotApplicableError):
        return  # each law says so
    check_names([unknown_names(lab, surely=True)])
    if any(law.name == "correction" for law in laws) and "correction" not in lab.proof.skip:
        for name in lab.proof.corrections:
            lab.state((Step("correct", first, correction=name),))


def unknown_names(lab: Lab, *, surely: bool = False) -> dict[str, str] | None:
    """Return what each entry of `ignore` or `exempt` says wrong that names nothing in any state seen so far.

    None where no state has been seen. With `surely`, just those that are almost called like something that is there:
    the tables that a crash leaves behind, say, may come yet.
    """
    seen = lab.states.names
    if not seen.has_seen:
        return None
    found = {}
    for one in seen.unmatched:
        kind, names = ("table", seen.places) if one.whole else ("column", seen.columns)
        where = f"tool.dagproof.proofs.{lab.dag_id}.{one.key} names {one.entry!r}, which is"
        if meant := _meant(one, seen):
            found[f"{one.key} {one.entry}"] = f"{where} {meant}"
        elif one.key != SCRATCH and (not surely or _is_misspelt(one.key, one.entry, names)):
            found[f"{one.key} {one.entry}"] = f"{where} neither a {kind} nor a file{nearest(one.entry, names)}"
    return found


def _meant(one: Named, seen: Names) -> str:
    """Return what an entry names that is no column and no pattern: a table or a schema; with what it should be."""
    tables = {spelling: table for table in seen.places for spelling in spellings(table)}
    if one.entry in tables:
        table = tables[one.entry]
        columns = sorted(c.removeprefix(f"{table}.") for c in seen.columns if c.rpartition(".")[0] == table)
        some = ", ".join([c for c in columns if c != "*"][:MOST_COLUMNS])
        return (
            f"a table; write '{one.entry}.*' to ignore all of it, or '{one.entry}.COLUMN' for one of its columns "
            f"({some})"
        )
    if any(spelling.startswith(f"{one.entry}.") for spelling in tables):
        return (
            f"a schema; write '{one.entry}.*' to ignore all of its tables, or '{one.entry}.*.COLUMN' for one column of "
            "each"
        )
    return ""


def _is_misspelt(key: str, entry: str, names: Iterable[str]) -> bool:
    return key not in EXEMPT_OF_DISASTERS and bool(get_close_matches(entry, list(names), 1, MISSPELT))
