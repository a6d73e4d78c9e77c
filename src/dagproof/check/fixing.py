"""``dagproof check --fix``: rewrite what has one certain fix, and nothing that would no longer parse."""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dagproof.loaded.model import Spot
from dagproof.output.files import write_file
from dagproof.rules import Finding
from dagproof.source.removed import DAG_PARAMETERS, PARAMETERS_OF, TASK_PARAMETERS, TRIGGER_RULES, replacement

RENAMED = {
    **{old: new for old, new in DAG_PARAMETERS.items() if new and old != "timetable"},
    **TASK_PARAMETERS,
    **{old: new for table in PARAMETERS_OF.values() for old, new in table.items()},
}


@dataclass(frozen=True)
class Edit:
    """One change: what stands between two offsets, in bytes, becomes another text."""

    start: int
    end: int
    text: str


@dataclass
class Rewritten:
    """One file, as it is and as it would be, with the number of findings that are fixed."""

    path: Path
    shown: str
    before: str
    after: str
    count: int
    encoding: str = "utf-8"

    @property
    def diff(self) -> str:
        """The change, as a unified diff."""
        lines = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        return "".join(difflib.unified_diff(*lines, self.shown, self.shown))


@dataclass
class Fixes:
    """What can be rewritten, and what can't, with the reason."""

    files: list[Rewritten] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many findings are fixed."""
        return sum(one.count for one in self.files)


def fixes(findings: Iterable[Finding], base: Path) -> Fixes:
    """Return the certain fixes of some findings, told relative to `base`; nothing is written."""
    by_path: dict[str, set[tuple[str, Spot]]] = {}
    for finding in findings:
        if finding.certain and finding.rule in _FIXERS:
            by_path.setdefault(finding.cause.path, set()).add((finding.rule, finding.cause))
    found = Fixes()
    for shown, wanted in sorted(by_path.items()):
        path = (base / shown).resolve()
        if not path.is_file():
            continue  # in an archive
        try:
            one = _rewritten(path, shown, wanted)
        except (OSError, SyntaxError, ValueError, LookupError) as error:
            found.refused.append((shown, f"it cannot be read: {error}"))
            continue
        if one and _parses(one.after):
            found.files.append(one)
        elif one:
            found.refused.append((shown, "it would no longer parse; fix it by hand"))
    return found


def write(files: Iterable[Rewritten]) -> None:
    """Write files in place, each in one step, with its own encoding and line ends.

    Raises:
        UsageError: one cannot be written; those before it have been.
    """
    for one in files:
        write_file(one.path, one.after.encode(one.encoding), "fix")  # its line ends are those it had


def _rewritten(path: Path, shown: str, wanted: Iterable[tuple[str, Spot]]) -> Rewritten | None:
    data = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = data.decode(encoding)
    source = _Source(text)
    edits: dict[int, Edit] = {}
    count = 0
    for rule, spot in sorted(wanted, key=lambda one: (one[1].line, one[1].column)):
        found = list(_FIXERS[rule](source, spot))
        count += bool(found)
        edits.update({edit.start: edit for edit in found})
    if not edits:
        return None
    after = text.encode()
    for edit in sorted(edits.values(), key=lambda one: one.start, reverse=True):
        after = after[: edit.start] + edit.text.encode() + after[edit.end :]
    return Rewritten(path, shown, text, after.decode(), count, encoding)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


class _Source:
    """A file's tree, and where its nodes are in its bytes."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        lines = self.data.splitlines(keepends=True)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line))
        self._lines = [line.decode() for line in lines]

    def start(self, node: ast.AST) -> int:
        """Where a node begins."""
        return self._starts[getattr(node, "lineno", 1) - 1] + int(getattr(node, "col_offset", 0))

    def end(self, node: ast.AST) -> int:
        """Where a node ends."""
        return self._starts[getattr(node, "end_lineno", 1) - 1] + int(getattr(node, "end_col_offset", 0))

    def at(self, spot: Spot, kind: type[ast.AST]) -> list[ast.AST]:
        """The nodes of a kind that begin at a place, whose columns count characters from 1."""
        line = self._lines[spot.line - 1] if 0 < spot.line <= len(self._lines) else ""
        offset = self._starts[min(spot.line, len(self._lines)) - 1] + len(line[: spot.column - 1].encode())
        return [one for one in self.nodes if isinstance(one, kind) and self.start(one) == offset]


def _of_poke_sensor(source: _Source, spot: Spot) -> Iterator[Edit]:
    """``mode="reschedule"``: given anew, or in the place of ``mode="poke"``."""
    calls = [one for one in source.at(spot, ast.Call) if isinstance(one, ast.Call) and _is_sensor(one)]
    for call in calls[:1]:
        given = next((one.value for one in call.keywords if one.arg == "mode"), None)
        if isinstance(given, ast.Constant) and given.value == "poke":
            yield Edit(source.start(given), source.end(given), '"reschedule"')
        elif given is None and not any(one.arg is None for one in call.keywords):
            yield from _argument_added(source, call, 'mode="reschedule"')


def _is_sensor(call: ast.Call) -> bool:
    """Whether a call makes a sensor: those around it, such as ``.expand(…)``, begin at the same place."""
    name = ast.unparse(call.func)
    return name.removesuffix(".partial").endswith(("Sensor", "SensorAsync", "task.sensor"))


def _argument_added(source: _Source, call: ast.Call, text: str) -> Iterator[Edit]:
    last = max([*call.args, *(keyword.value for keyword in call.keywords)], key=source.end, default=None)
    if last is None:
        yield Edit(source.end(call) - 1, source.end(call) - 1, text)
    else:
        yield Edit(source.end(last), source.end(last), f", {text}")


def _of_removed_api(source: _Source, spot: Spot) -> Iterator[Edit]:
    for node in source.at(spot, ast.ImportFrom):
        if isinstance(node, ast.ImportFrom):
            yield from _import_moved(source, node)
    for node in source.at(spot, ast.expr):
        yield from _parameter_renamed(source, node)
        if isinstance(node, ast.Constant) and node.value in TRIGGER_RULES:
            yield Edit(source.start(node), source.end(node), f'"{TRIGGER_RULES[str(node.value)]}"')


def _import_moved(source: _Source, node: ast.ImportFrom) -> Iterator[Edit]:
    """``from old import Name`` becomes ``from new import Name``, where all of its names moved for certain."""
    full = [f"{node.module}.{alias.name}" for alias in node.names]
    new = [replacement(name) for name in full]
    has_comment = b"#" in source.data[source.start(node) : source.end(node)]
    if node.level or not all(new) or has_comment:
        return
    by_module: dict[str, list[str]] = {}
    for alias, target in zip(node.names, new, strict=True):
        module, _, name = target.rpartition(".")
        used = alias.asname or alias.name
        is_renamed = used != name and not alias.asname and _is_free(source, name)
        by_module.setdefault(module, []).append(name if used == name or is_renamed else f"{name} as {used}")
        if is_renamed:
            for one in source.nodes:
                if isinstance(one, ast.Name) and one.id == used:
                    yield Edit(source.start(one), source.end(one), name)
    lines = [f"from {module} import {', '.join(names)}" for module, names in by_module.items()]
    newline = "\r\n" if b"\r\n" in source.data else "\n"
    yield Edit(source.start(node), source.end(node), f"{newline}{' ' * node.col_offset}".join(lines))


def _is_free(source: _Source, name: str) -> bool:
    """Whether nothing in the file has a name yet: else the old name stays, as an alias."""
    named = (getattr(one, key, None) for one in source.nodes for key in ("id", "name", "asname", "arg"))
    return name not in named


def _parameter_renamed(source: _Source, value: ast.AST) -> Iterator[Edit]:
    for call in (one for one in source.nodes if isinstance(one, ast.Call)):
        for keyword in call.keywords:
            new = RENAMED.get(keyword.arg or "")
            if keyword.value is value and new and not any(one.arg == new for one in call.keywords):
                begin = source.start(keyword)
                yield Edit(begin, begin + len(str(keyword.arg).encode()), new)


_FIXERS: Mapping[str, Callable[[_Source, Spot], Iterator[Edit]]] = {
    "poke-sensor": _of_poke_sensor,
    "removed-api": _of_removed_api,
}
