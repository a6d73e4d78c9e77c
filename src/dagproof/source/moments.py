"""The moments that a run is about: its interval and its logical date, in templates and in Python."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from dagproof.source.dagfile import Body, DagFile, Task
from dagproof.source.names import Names, visible
from dagproof.source.scopes import Scope
from dagproof.source.templates import environment
from dagproof.source.values import Value, dictionary, followed

if TYPE_CHECKING:
    from jinja2 import nodes

_STARTS = ("data_interval_start", "logical_date", "execution_date")
_KEEP = frozenset(
    ("isoformat", "to_iso8601_string", "to_datetime_string", "timestamp", "int_timestamp", "float_timestamp", "naive")
) | frozenset(("in_timezone", "in_tz", "astimezone", "string", "ts", "ts_nodash", "ts_nodash_with_tz", "str", "strip"))
_DAY = frozenset({"date", "to_date_string", "ds", "ds_nodash"})
_WRAPPERS = frozenset(
    ("str", "pandas.Timestamp", "pandas.to_datetime", "pendulum.instance", "pendulum.parse", "numpy.datetime64")
)
_BLOCK = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
MOST_DEPTH = 10


class Moment(NamedTuple):
    """One of the moments, and whether it is cut down to its day."""

    is_end: bool
    is_day: bool = False

    @property
    def word(self) -> str:
        """A word of SQL that stands for it."""
        return f"dagproof_{'end' if self.is_end else 'start'}_{'day' if self.is_day else 'time'}"


WORDS = {moment.word: moment for moment in (Moment(end, day) for end in (True, False) for day in (True, False))}


def named(name: str) -> Moment | None:
    """Return the moment that a variable of the context is."""
    if name == "data_interval_end":
        return Moment(True)
    return Moment(False) if name in _STARTS else None


def _formatted(moment: Moment, how: str, form: str | None) -> Moment | None:
    """What a moment is after a method or filter; None where it is another one then."""
    if how in _KEEP:
        return moment
    if how in _DAY:
        return moment._replace(is_day=True)
    if how in ("strftime", "format", "ds_format") and form is not None:
        has_time = re.search(r"%[HMSTcsXIfR]|[HhmsSX]", form) if how == "format" else re.search(r"%[HMSTcsXIfR]", form)
        return moment if has_time else moment._replace(is_day=True)
    return None


# Templates


def with_moments(text: str) -> str:
    """Return a template with a word for each expression that is one of the moments."""
    return _BLOCK.sub(_word, text) if "data_interval" in text else text


def _word(block: re.Match[str]) -> str:
    from jinja2 import TemplateError

    try:
        tree = environment().parse(block[0])
    except (TemplateError, RecursionError):
        return block[0]
    node = getattr(tree.body[0], "nodes", [None])[0] if len(tree.body) == 1 else None
    found = _of_template(node) if node is not None else None
    return found.word if found else block[0]


def _of_template(node: nodes.Node) -> Moment | None:
    from jinja2 import nodes as kinds

    if isinstance(node, kinds.Name):
        if node.name in ("ds", "ts"):
            return Moment(False, node.name == "ds")
        return named(node.name)
    if isinstance(node, kinds.Getattr):
        inner = _of_template(node.node)
        return _formatted(inner, node.attr, None) if inner else named(node.attr)
    if isinstance(node, kinds.Filter) and node.node is not None:
        inner = _of_template(node.node)
        return _formatted(inner, node.name, None) if inner else None
    if isinstance(node, kinds.Call) and isinstance(node.node, kinds.Getattr):
        inner = _of_template(node.node.node)
        form = node.args[0].value if node.args and isinstance(node.args[0], kinds.Const) else None
        return _formatted(inner, node.node.attr, form) if inner else None
    return None


# Python


class Moments:
    """Tells which expressions of one task's code are one of the moments.

    Args:
        dagfile: where the task is.
        task: the task.
        bodies: what it runs.
    """

    def __init__(self, dagfile: DagFile, task: Task, bodies: list[Body]) -> None:
        self._resolver = dagfile.resolver
        self._parameters: dict[ast.arg, Moment] = {}
        for scope, _ in task.entries:
            self._from_context(scope)
        self._from_calls(task)
        for site in dagfile.sites_of(bodies):
            self._pass_on(site.call, site.scope, site.names)

    def word(self, node: ast.expr, scope: Scope) -> str | None:
        """Return the word of SQL for an expression that is one of the moments."""
        found = self.of(node, scope)
        return found.word if found else None

    def of(self, node: ast.expr, scope: Scope, depth: int = MOST_DEPTH) -> Moment | None:
        """Return the moment that an expression surely is."""
        if depth == 0:
            return None
        if isinstance(node, ast.Name):
            return self._of_name(node, scope, depth)
        if isinstance(node, ast.Constant):
            text = with_moments(node.value) if isinstance(node.value, str) else ""
            return WORDS.get(text.strip())
        if isinstance(node, ast.Subscript):
            return named(_text(node.slice) or "")
        if isinstance(node, ast.Attribute):
            inner = self.of(node.value, scope, depth - 1)
            return _formatted(inner, node.attr, None) if inner else named(node.attr)
        return self._of_call(node, scope, depth) if isinstance(node, ast.Call) else None

    def parameters(self, value: Value) -> tuple[dict[str, Moment], dict[int, Moment]]:
        """Return which entries of a dictionary, or of a tuple or list, are moments: by their names and positions."""
        by_name: dict[str, Moment] = {}
        by_position: dict[int, Moment] = {}
        for node, scope in followed(value, self._resolver):
            if isinstance(node, ast.Tuple | ast.List):
                parts = {number: self.of(part, scope) for number, part in enumerate(node.elts)}
                by_position.update({number: moment for number, moment in parts.items() if moment})
            else:
                entries = dictionary(Value(node, scope), self._resolver).known
                named_ = {key: self.of(*entry) for key, entry in entries.items()}
                by_name.update({key: moment for key, moment in named_.items() if moment})
        return by_name, by_position

    def _of_name(self, node: ast.Name, scope: Scope, depth: int) -> Moment | None:
        found: set[Moment | None] = set()
        for binding in visible(node, scope):
            if isinstance(binding.node, ast.arg):
                found.add(self._parameters.get(binding.node))
            elif binding.kind == "value" and binding.value is not None:
                found.add(self.of(binding.value, binding.scope, depth - 1))
            else:
                return None
        return found.pop() if len(found) == 1 else None

    def _of_call(self, node: ast.Call, scope: Scope, depth: int) -> Moment | None:
        first = node.args[0] if node.args else None
        if isinstance(node.func, ast.Attribute):
            if node.func.attr == "get" and (key := _text(first)):
                return named(key)
            inner = self.of(node.func.value, scope, depth - 1)
            if inner:
                return _formatted(inner, node.func.attr, _text(first))
        wraps = any(name in _WRAPPERS for name in self._resolver.names(node.func, scope))
        return self.of(first, scope, depth - 1) if wraps and first is not None else None

    def _from_context(self, scope: Scope) -> None:
        for argument in _parameters(scope):
            if moment := named(argument.arg):
                self._parameters[argument] = moment

    def _from_calls(self, task: Task) -> None:
        """What the DAG file gives to the function of a task, in templates."""
        given = task.arguments.known.get("op_kwargs")
        for entry, _ in task.entries:
            if given:
                self._bind(entry, {}, dictionary(given, self._resolver).known)
            if task.function is entry:
                for call, scope in task.calls:
                    self._pass(entry, call, scope)

    def _pass_on(self, call: ast.Call, scope: Scope, names: Names) -> None:
        for name in names:
            made = self._resolver.project.definitions.get(name)
            if made and made.kind == "function":
                self._pass(made, call, scope)

    def _pass(self, function: Scope, call: ast.Call, scope: Scope) -> None:
        skipped = 1 if function.parent and function.parent.kind == "class" else 0
        by_position = {number + skipped: Value(node, scope) for number, node in enumerate(call.args)}
        by_name = {keyword.arg: Value(keyword.value, scope) for keyword in call.keywords if keyword.arg}
        self._bind(function, by_position, by_name)

    def _bind(self, function: Scope, by_position: dict[int, Value], by_name: dict[str, Value]) -> None:
        for number, argument in enumerate(_parameters(function)):
            value = by_name.get(argument.arg) or by_position.get(number)
            moment = self.of(*value) if value else None
            if moment:
                self._parameters[argument] = moment


def _parameters(scope: Scope) -> list[ast.arg]:
    arguments = getattr(scope.node, "args", None)
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs] if arguments else []


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
