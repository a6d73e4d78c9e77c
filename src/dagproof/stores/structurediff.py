"""How the structure of a database differs from another: indexes that pile up, a view that means something else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from dagproof.stores.filediff import first_difference_of_texts
from dagproof.stores.structure import NOTED, Part, Structure

_NOTED = tuple(f"{kind} {word} " for kind, word in NOTED.items())


@dataclass(frozen=True)
class StructureDiff:
    """What is on a table, or has a name of its own, and is there another number of times, or defined in another way.

    `table` is the table it is on, or its own name; `part` reads ``index on ev (v)``; `before` and `after` say how often
    it is there. Where its definition changed, `detail` says where, and both of them are here.
    """

    table: str
    part: str
    before: int
    after: int
    detail: str = ""
    definition_before: str = ""
    definition_after: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, with the kind of change."""
        return {**asdict(self), "change": self.kind}

    @property
    def kind(self) -> str:
        """``added``, ``missing``, ``changed``, or ``duplicated``, like a row."""
        if self.detail:
            return "changed"
        if self.before and self.after:
            return "duplicated" if self.after > self.before else "missing"
        return "added" if self.after else "missing"

    @property
    def change(self) -> str:
        """``added``, ``missing``, ``changed``, or ``×1 → ×2``, as a person reads it."""
        if self.detail:
            return f"changed: {self.detail}"
        if self.before and self.after:
            return f"×{self.before} → ×{self.after}"
        times = max(self.before, self.after)
        return self.kind + (f" ×{times}" if times > 1 else "")


def diff_structures(before: Structure, after: Structure, besides: Collection[str]) -> tuple[StructureDiff, ...]:
    """Return how two structures differ, except for what is on the tables `besides`, and what is just noted."""
    owners = (before.keys() | after.keys()) - set(besides)
    return tuple(found for found in _all_differing(before, after, owners) if not found.part.startswith(_NOTED))


def noted(before: Structure, after: Structure) -> list[str]:
    """Return what differs and is not judged: ``comment on ev``."""
    owners = before.keys() & after.keys()
    return [found.part for found in _all_differing(before, after, owners) if found.part.startswith(_NOTED)]


def _all_differing(before: Structure, after: Structure, owners: Collection[str]) -> Iterator[StructureDiff]:
    for owner in sorted(owners):
        yield from _differing(owner, before.get(owner, ()), after.get(owner, ()))


def occurrences(structure: Structure, found: StructureDiff) -> int:
    """Return how often a structure has what was found to differ."""
    return sum(part.named(found.table) == found.part for part in structure.get(found.table, ()))


def _differing(owner: str, before: tuple[Part, ...], after: tuple[Part, ...]) -> Iterator[StructureDiff]:
    if before == after:
        return
    mine, others = _by_name(owner, before), _by_name(owner, after)
    for name in sorted(mine.keys() | others.keys()):
        old, new = mine[name], others[name]
        if old == new:
            continue
        gone, come = sorted((old - new).elements()), sorted((new - old).elements())
        if old.total() == new.total():
            where = _where(gone[0], come[0])
            yield StructureDiff(owner, name, old.total(), new.total(), where, gone[0], come[0])
        else:
            yield StructureDiff(owner, name, old.total(), new.total())


def _by_name(owner: str, parts: tuple[Part, ...]) -> defaultdict[str, Counter[str]]:
    """Return the definitions of the parts by their names."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        found[part.named(owner)][part.definition] += 1
    return found


#: So much of a definition is shown, and so much of what is the same before the first difference.
_SHOWN, _SAME = 60, 25


def _where(before: str, after: str) -> str:
    """Return in which words two definitions differ first."""
    if "\n" in before or "\n" in after:
        return first_difference_of_texts(before.encode(), after.encode())
    pairs = enumerate(zip(before, after, strict=False))
    start = next((n for n, (old, new) in pairs if old != new), min(len(before), len(after))) - _SAME
    start = before.rfind(" ", 0, start) + 1 if start > 0 else 0
    return f"{_cut(before, start)} became {_cut(after, start)}"


def _cut(text: str, start: int) -> str:
    rest = text[start:]
    return ("… " if start else "") + (rest if len(rest) <= _SHOWN else rest[: _SHOWN - 1] + "…") or "nothing"
