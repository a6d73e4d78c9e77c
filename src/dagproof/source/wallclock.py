"""What reads the current time, in each language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dagproof.source import shell, sqlclocks, sqltext, templates
from dagproof.source.clocks import CLOCK_WORDS, CLOCKS_OF_TEXT, CLOCKS_WITHOUT_ARGUMENT, WALL_CLOCKS
from dagproof.source.names import Names
from dagproof.source.readings import Source
from dagproof.source.scopes import Scope

WRITES = re.compile(r"\b(?:INSERT|UPDATE|MERGE|REPLACE|CREATE)\b", re.IGNORECASE)
STARTS = frozenset({"dag_run.start_date", "ti.start_date", "task_instance.start_date"})


def clock_shown(call: ast.Call, scope: Scope, names: Names) -> str | None:
    """Return how a call that reads the clock is told; None for any other call."""
    for name in names:
        arguments = len(call.args) + len(call.keywords)
        if name in WALL_CLOCKS and not _is_monotonic(name, call):
            return f"{name}()"
        if name in CLOCKS_WITHOUT_ARGUMENT and arguments <= CLOCKS_WITHOUT_ARGUMENT[name]:
            return f"{name}()"
        if name in CLOCKS_OF_TEXT and call.args and _word(call.args[0]) in CLOCK_WORDS:
            return f'{name}("{_word(call.args[0])}")'
    return None


def _is_monotonic(name: str, call: ast.Call) -> bool:
    """``clock_gettime`` of a clock that only counts."""
    return name.startswith("time.clock_gettime") and "REALTIME" not in "".join(map(ast.unparse, call.args))


def _word(node: ast.expr) -> str:
    return node.value.strip().lower() if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _sql_clocks(sql: str) -> Iterator[sqltext.Use]:
    """The clocks in SQL, and, doubtful, when the very try that writes something began."""
    yield from sqlclocks.clocks(sql)
    if "start_date" in sql and WRITES.search(sql):
        lines = [0, *(found.end() for found in re.finditer("\n", sql))]
        for variable in templates.variables(sql):
            if variable.name in STARTS:
                yield sqltext.Use(f"{{{{ {variable.name} }}}}", lines[min(variable.line, len(lines) - 1)], True)


CLOCK = Source(clock_shown, _sql_clocks, templates.clocks, shell.clocks)
