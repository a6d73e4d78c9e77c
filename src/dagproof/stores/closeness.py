"""Numbers that are the same but for their last digits: a sum of floats depends on the order in which they are added."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from dagproof.stores.snapshot import Snapshot

_NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")
#: How far apart two numbers may be, in relation to their size, and near zero. A float has 15 digits; rounding errors of
#: a few million additions eat up five of them at the worst.
_RELATIVE = _ABSOLUTE = 1e-9
#: So many digits bring rows that differ in the last ones into the same order.
_DIGITS = 9


def differ_in_last_digits(one: Snapshot, other: Snapshot) -> bool:
    """Tell whether two snapshots differ in nothing but the last digits of floats; also where they do not differ."""
    if one.tables.keys() != other.tables.keys() or one.files.keys() != other.files.keys():
        return False
    if one.structure != other.structure:
        return False
    for name, table in one.tables.items():
        if table.columns != other.tables[name].columns or not _are_close(table.rows, other.tables[name].rows):
            return False
    for path, file in one.files.items():
        mine, theirs = file.content, other.files[path].content
        if file.chunks != other.files[path].chunks and (
            mine is None or theirs is None or not _are_close_in_order(mine.splitlines(), theirs.splitlines())
        ):
            return False
    return True


def _are_close(lines: Iterable[bytes], others: Iterable[bytes]) -> bool:
    """Tell whether each line has its own partner that says the same in nearly the same numbers."""
    mine, theirs = Counter(lines), Counter(others)
    waiting = _by_text((theirs - mine).elements())
    for text, rows in _by_text((mine - theirs).elements()).items():
        partners = waiting.pop(text, [])
        if len(rows) != len(partners) or not all(map(_numbers_are_close, rows, partners)):
            return False
    return not waiting


def _are_close_in_order(lines: list[bytes], others: list[bytes]) -> bool:
    """Tell whether each line says nearly the same as the one in its place: a file has an order."""
    pairs = zip(lines, others, strict=False)
    return len(lines) == len(others) and all(mine == theirs or _are_close([mine], [theirs]) for mine, theirs in pairs)


def _by_text(lines: Iterable[bytes]) -> dict[bytes, list[list[bytes]]]:
    """Return the numbers of lines by what else they say, in the order of the numbers."""
    found: defaultdict[bytes, list[list[bytes]]] = defaultdict(list)
    for line in lines:
        found[_NUMBER.sub(b"#", line)].append(_NUMBER.findall(line))
    for rows in found.values():
        rows.sort(key=lambda numbers: [f"{float(number):.{_DIGITS}g}" for number in numbers])
    return dict(found)


def _numbers_are_close(numbers: list[bytes], others: list[bytes]) -> bool:
    return all(map(_is_close, numbers, others))


def _is_close(number: bytes, other: bytes) -> bool:
    if number == other:
        return True
    if number.lstrip(b"-").isdigit() and other.lstrip(b"-").isdigit():
        return False  # whole numbers are counted, not added up
    return math.isclose(float(number), float(other), rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
