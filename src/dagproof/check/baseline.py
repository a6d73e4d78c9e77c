"""A baseline: findings that are known already. Old ones are quiet, new ones fail, fixed ones leave it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dagproof.check.checking import Checked
from dagproof.errors import UsageError
from dagproof.output.files import write_file
from dagproof.output.text import as_json
from dagproof.rules import Finding

VERSION = 1
WHAT = "baseline"


@dataclass(frozen=True)
class Entry:
    """One known finding. Its fingerprint holds for as long as the text of its line does, wherever that moves to."""

    rule: str
    path: str
    fingerprint: str
    message: str
    until: str = ""
    """The last day on which it is known, as ``YYYY-MM-DD``; empty where it has no end."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others."""
        return (self.rule, self.path, self.fingerprint)

    @property
    def is_over(self) -> bool:
        """Whether it does not hold any more."""
        return bool(self.until) and datetime.now().astimezone().date().isoformat() > self.until


def entries(findings: Iterable[Finding], line_of: Callable[[str, int], str], *, base: Path, root: Path) -> list[Entry]:
    """Return the entry of each finding, in the same order; paths are told relative to `root`.

    Args:
        findings: told relative to `base`.
        line_of: the text of a line of a file.
        base: what the paths of the findings are relative to.
        root: what those of the entries are relative to.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for finding in findings:
        path = told((base / finding.path).resolve(), root)
        text = " ".join(line_of(finding.path, finding.line).split())
        place = (finding.rule, path, text)
        key = json.dumps([*place, seen[place]])
        seen[place] += 1
        fingerprint = hashlib.sha256(os.fsencode(key)).hexdigest()[:16]
        found.append(Entry(finding.rule, path, fingerprint, finding.message))
    return found


def told(path: Path, root: Path) -> str:
    """Return how an absolute path is told in a baseline."""
    return os.path.relpath(path, root).replace(os.sep, "/")


def read(path: Path) -> list[Entry]:
    """Return the entries of a baseline file.

    Raises:
        UsageError: it is not there, or no baseline.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [Entry(**one) for one in data["findings"]]
    except FileNotFoundError:
        raise UsageError(f"there is no baseline {path}; --update-baseline writes one") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a baseline ({error}); name another file, or replace it with --update-baseline --force"
        ) from error


def write(path: Path, known: Iterable[Entry], *, force: bool = False) -> None:
    """Write a baseline, in one step, so that nobody ever reads half of one.

    Raises:
        UsageError: it cannot be written there, or what is there is no baseline (unless `force`).
    """
    rows: list[dict[str, Any]] = [
        {name: value for name, value in vars(one).items() if name != "until" or value}
        for one in sorted(known, key=lambda one: (one.path, one.rule, one.fingerprint))
    ]
    text = as_json({"version": VERSION, "findings": rows}, indent=2)
    write_file(path, f"{text}\n".encode(), WHAT, is_ours=_is_baseline, force=force)


def _is_baseline(head: bytes) -> bool:
    return re.match(rb'\{\s*"version": \d+,\s*"findings": \[', head) is not None


def without_known(checked: Checked, mine: list[Entry], known: Collection[Entry]) -> Checked:
    """Return what was found but for what the baseline knows; `mine` are the entries of what was found."""
    old = {one.key for one in known if not one.is_over}
    pairs = zip(checked.findings, mine, strict=True)
    new = tuple(finding for finding, one in pairs if one.key not in old)
    return replace(checked, findings=new, known=len(checked.findings) - len(new))


def updated(
    mine: list[Entry],
    known: Iterable[Entry],
    *,
    looked_at: Collection[str],
    rules: Collection[str],
    root: Path,
    until: str = "",
) -> list[Entry]:
    """Return the new baseline: what is found now, and what this run could not see.

    Args:
        mine: what is found now.
        known: what the baseline held.
        looked_at: the paths that were looked at.
        rules: the rules that looked.
        root: the folder that paths are relative to.
        until: the last day on which what is new in it is known; what it held keeps its own, unless that is over.
    """
    known = list(known)
    ends = {one.key: one.until for one in known if not one.is_over}
    mine = [replace(one, until=ends.get(one.key, until)) for one in mine]
    kept = [one for one in known if (root / one.path).exists() and not (one.path in looked_at and one.rule in rules)]
    return list(dict.fromkeys([*mine, *kept]))
