"""Jinja in templated fields: which macros it calls that give another answer each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

CLOCKS = frozenset(
    [f"macros.datetime.{name}" for name in ("now", "utcnow", "today")]
    + [f"macros.datetime.datetime.{name}" for name in ("now", "utcnow", "today")]
    + ["macros.datetime.date.today", "macros.time.time", "macros.time.time_ns", "macros.pendulum.now"]
)
CLOCKS_WITHOUT_ARGUMENT = {"macros.time.strftime": 1, "macros.time.localtime": 0, "macros.time.gmtime": 0}
CLOCKS_WITHOUT_ARGUMENT["macros.datetime_diff_for_humans"] = 1
RANDOM = frozenset({"macros.uuid.uuid4", "macros.uuid.uuid1", "macros.random"})
_HINT = re.compile(r"\bmacros\b|\|\s*random\b")


class Macro(NamedTuple):
    """A macro that a template calls, and the line of the text that it is on (from 0)."""

    name: str
    line: int


def clocks(text: str) -> Iterator[Macro]:
    """Yield the macros that read the clock."""
    for name, arguments, line in _calls(text):
        few = name in CLOCKS_WITHOUT_ARGUMENT and arguments <= CLOCKS_WITHOUT_ARGUMENT[name]
        if name in CLOCKS or few:
            yield Macro(f"{name}()", line)


def draws(text: str) -> Iterator[Macro]:
    """Yield the macros that draw at random."""
    for name, _, line in _calls(text):
        if name in RANDOM:
            yield Macro(f"{name}()", line)


def _calls(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the name, the number of arguments and the line of each macro that is called."""
    if "{" not in text or not _HINT.search(text):
        return
    from jinja2 import TemplateError, nodes

    try:
        tree = environment().parse(text)
    except (TemplateError, RecursionError):
        return
    for call in tree.find_all(nodes.Call):
        name = _dotted(call.node)
        if name:
            yield name, len(call.args) + len(call.kwargs), call.lineno - 1


def variables(text: str) -> Iterator[Macro]:
    """Yield the variables that a template takes from the context, as ``name`` or ``name.attribute``; not its own."""
    if "{" not in text:
        return
    from jinja2 import TemplateError, meta, nodes

    try:
        tree = environment().parse(text)
        given = meta.find_undeclared_variables(tree)
    except (TemplateError, RecursionError):
        return
    for node in tree.find_all((nodes.Name, nodes.Getattr)):
        name = _dotted(node)
        if name.partition(".")[0] in given and name.count(".") < 2:
            yield Macro(name, node.lineno - 1)


@cache
def environment() -> Environment:
    """Return what reads templates as Airflow does; it renders nothing."""
    from jinja2 import Environment

    made = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])  # noqa: S701 - it renders nothing
    made.filters, made.tests = _Any(made.filters), _Any(made.tests)
    return made


class _Any(dict[str, Any]):
    """Has an entry for every name: the filters of a DAG are its own."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is there, or something."""
        return super().get(key, default) or str


def _dotted(node: nodes.Node) -> str:
    from jinja2 import nodes as kinds

    parts: list[str] = []
    while isinstance(node, kinds.Getattr):
        parts.append(node.attr)
        node = node.node
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, kinds.Name) else ""
