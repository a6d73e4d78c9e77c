"""Where a DAG's tasks read something that differs each time: a clock, or chance; in Python, SQL, Jinja and shell."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dagproof.source import fields, shell, sqltext, templates
from dagproof.source.binding import bound
from dagproof.source.branches import never_happens
from dagproof.source.dagfile import Body, Chain, Dag, DagFile, Place, Site, Task
from dagproof.source.names import Names, visible
from dagproof.source.scopes import Scope
from dagproof.source.shellsql import sql_in
from dagproof.source.strings import Text, texts
from dagproof.source.taint import Taint
from dagproof.source.templated import SHELL_FILES, rendered
from dagproof.source.usage import Fate, Usage, is_log
from dagproof.source.values import Value, dictionary, followed

NOT_WORK = frozenset(
    [
        "start_date",
        "end_date",
        "dag",
        "default_args",
        "params",
        "doc",
        "doc_md",
        "doc_json",
        "doc_yaml",
        "doc_rst",
        "owner",
        "task_group",
        "trigger_rule",
        "on_failure_callback",
        "on_success_callback",
        "on_retry_callback",
        "on_execute_callback",
        "on_skipped_callback",
        "description",
        "task_display_name",
        "sla",
        "queue",
        "pool",
    ]
)
"""Arguments of an operator that don't take part in its work."""
IN_PLACE = frozenset({"random.shuffle", "numpy.random.shuffle"})
"""They give nothing back, and change what they are given."""
SHELL_KEYS = frozenset({"bash_command", "command"})
SHELL_CALLS = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
SUBPROCESS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))


@dataclass(frozen=True)
class Source:
    """Something that differs each time, in each language.

    Args:
        shown: how a call that reads it is told (``datetime.now()``); None for any other call.
        sql, jinja, shell: the same in these.
    """

    shown: Callable[[ast.Call, Scope, Names], str | None]
    sql: Callable[[str], Iterable[sqltext.Use]]
    jinja: Callable[[str], Iterable[templates.Macro]]
    shell: Callable[[str], Iterable[shell.Use]]

    def is_source(self, call: ast.Call, scope: Scope, names: Names) -> bool:
        """Say whether a call reads it."""
        return self.shown(call, scope, names) is not None


@dataclass(frozen=True)
class Reading:
    """One place that reads it, with the calls from the DAG file that lead there."""

    shown: str
    chain: Chain
    place: Place
    task: Task | None
    certain: bool = True
    when_parsed: bool = False
    """Whether it is read while the file is parsed, and the value then goes into a task."""
    line: int = 0
    """The line, where it is not the first one of the place."""
    file: Path | None = None
    """The file it is in, where that is no Python file."""
    why: str = ""
    """Why it is doubtful: ``default``, ``retention``, ``duration``, ``audit`` or ``param`` and a name."""


class Readings:
    """Finds the readings of one source in one DAG file."""

    def __init__(self, dagfile: DagFile, source: Source) -> None:
        self.dagfile = dagfile
        self.resolver = bound(dagfile)
        self.source = source
        self.taint = Taint(self.resolver, source.is_source)
        self._usages: dict[Scope, Usage] = {}

    def find(self) -> Iterator[Reading]:
        """Yield each reading."""
        for site in self.dagfile.sites("run"):
            yield from self._of_site(site)
        for body in self.dagfile.bodies:
            if body.phase == "run":
                yield from self._of_constants(body)
                yield from self._of_returned_shell(body)
        for task in self.dagfile.tasks:
            yield from self._of_task(task)

    # Python

    def _of_site(self, site: Site) -> Iterator[Reading]:
        shown = self.source.shown(site.call, site.scope, site.names)
        if shown:
            fate = Fate.USED if site.names[0] in IN_PLACE else self._fate(site.body.scope, site.call)
            field = fields.field_of(site.call, self._usage(site.body.scope).parents) if fate == Fate.USED else ""
            why = "duration" if fate == Fate.DURATION else f"audit {field}" if field else ""
            found = [Reading(shown, site.body.chain, site.place, site.body.task, not why, why=why)]
            yield from self._that_happen(site, found if fate != Fate.HARMLESS else [])
        elif not is_log(site.call):
            yield from self._that_happen(site, self._of_texts_given(site))

    def _that_happen(self, site: Site, found: Iterable[Reading]) -> Iterator[Reading]:
        """Readings in a branch that some task takes: an operator that does what it is told has one for each word."""
        for reading in found:
            task = site.body.task
            if task is not None and never_happens(site.call, site.scope, bound(self.dagfile, task)):
                others = (one for one in self.dagfile.tasks if self._reaches(one, site.body.scope))
                task = next((t for t in others if not self._is_never(site, t)), None)
                if task is None:
                    return
                reading = replace(reading, task=task, chain=(*task.chain, task.place))
            yield reading

    def _is_never(self, site: Site, task: Task) -> bool:
        return never_happens(site.call, site.scope, bound(self.dagfile, task))

    def _reaches(self, task: Task, scope: Scope) -> bool:
        return any(body.scope is scope for body in self.dagfile.reached_by(task))

    def _of_constants(self, body: Body) -> Iterator[Reading]:
        """Names of the module's level whose value was read when the file was parsed."""
        for name, scope in body.scope.loads:
            node = self._constant(name, scope, body)
            cause = self.taint.cause(Value(node, scope)) if node else ()
            if node and cause and self._fate(body.scope, node) == Fate.USED:
                inside = cause[0].module is self.dagfile.module
                yield self._parsed(cause if inside else (*body.chain, Place(scope.module, node), *cause), body.task)

    def _constant(self, name: ast.Name, scope: Scope, body: Body) -> ast.expr | None:
        """The name, or the attribute of an imported module that begins with it, if it may be such a constant."""
        bindings = visible(name, scope)
        if not bindings or bindings[0].kind != "import":
            at_top = bindings and bindings[0].kind == "value" and bindings[0].scope.kind == "module"
            return name if at_top else None
        found = self.resolver.project.find(bindings[0].target, bindings[0].scope.module)
        if not found:
            return None
        node: ast.AST = name
        while isinstance(parent := self._usage(body.scope).parents.get(node), ast.Attribute):
            node = parent
        return node if isinstance(node, ast.expr) else None

    def _parsed(self, chain: Chain, task: Task | None) -> Reading:
        place = chain[-1]
        assert isinstance(place.node, ast.Call)
        scope = place.module.scope
        shown = self.source.shown(place.node, scope, self.resolver.names(place.node.func, scope)) or "it"
        return Reading(shown, chain[:-1], place, task, when_parsed=True)

    def _fate(self, scope: Scope, node: ast.AST) -> Fate:
        return self._usage(scope).fate(node)

    def _usage(self, scope: Scope) -> Usage:
        if scope not in self._usages:
            self._usages[scope] = Usage(scope, self.resolver, self._is_reading)
        return self._usages[scope]

    def _is_reading(self, node: ast.expr, scope: Scope) -> bool:
        return bool(self.taint.cause(Value(node, scope)))

    # Tasks

    def of_params(self) -> Iterator[tuple[Dag, str, Reading]]:
        """Yield the defaults of a DAG's parameters that are read when the file is parsed."""
        for dag in self.dagfile.dags:
            given = dag.arguments.known.get("params")
            for key, value in dictionary(given, self.resolver).known.items() if given else ():
                if cause := self.taint.cause(value):
                    yield dag, key, self._parsed((*dag.chain, *cause), None)

    def _of_task(self, task: Task) -> Iterator[Reading]:
        macros = self._macros(task)
        for call, scope in task.calls:
            for key, value in self._spread(call, scope):
                if key in NOT_WORK:
                    continue
                cause = self.taint.cause(value)
                if cause:
                    elsewhere = cause[0].module is not self.dagfile.module
                    start = (*task.chain, Place(scope.module, value.node)) if elsewhere else ()
                    yield self._parsed((*start, *cause), task)
                for text in texts(value, self.resolver, key):
                    yield from self._of_templated(text, task)
                    yield from self._of_macros(text, task, macros)

    def _spread(self, call: ast.Call, scope: Scope) -> Iterator[tuple[str, Value]]:
        """The arguments of a call, one by one also those behind ``**``."""
        for key, value in _arguments(call, scope):
            known = dictionary(value, self.resolver).known if not key and value.node not in call.args else {}
            yield from known.items() if known else [(key, value)]

    def _macros(self, task: Task) -> dict[str, Value]:
        given = task.dag.arguments.known.get("user_defined_macros") if task.dag else None
        return dictionary(given, self.resolver).known if given else {}

    def _of_macros(self, text: Text, task: Task, macros: dict[str, Value]) -> Iterator[Reading]:
        """What the DAG's own macros read, where a template calls them, or takes what was read when they were made."""
        found = rendered(text, self.dagfile, task)
        for variable in templates.variables(found.content) if macros else ():
            value = macros.get(variable.name)
            if value is None:
                continue
            shown = self._called(value)
            line = text.line(0) + (variable.line if text.line(len(text.text)) > text.line(0) else 0)
            if shown:
                at = variable.line + 1 if found.file else line
                chain = (*task.chain, text.place) if found.file else task.chain
                told = f"{{{{ {variable.name}() }}}} ({shown})"
                yield Reading(told, chain, text.place, task, line=at, file=found.file)
            elif cause := self.taint.cause(value):
                yield self._parsed((*task.chain, *cause), task)

    def _called(self, value: Value) -> str:
        """What calling a function that is given as a value reads; empty where it reads nothing."""
        call = ast.Call(value.node, [], [])
        ast.copy_location(call, value.node)
        for one in followed(value, self.resolver):
            names = self.resolver.names(one.node, one.scope)
            if shown := self.source.shown(call, one.scope, names):
                return shown
            for name in names:
                made = self.resolver.project.definitions.get(name)
                for result in made.returns if made and made.kind in ("function", "lambda") else ():
                    cause = self.taint.cause(Value(result, made)) if made else ()
                    if cause and isinstance(cause[-1].node, ast.expr):
                        return ast.unparse(cause[-1].node)
        return ""

    def _of_templated(self, text: Text, task: Task) -> Iterator[Reading]:
        found = rendered(text, self.dagfile, task)
        if found.file:
            yield from self._of_file(found.file, found.content, text, task)
            return
        for macro in self.source.jinja(text.text):
            line = text.line(0) + (macro.line if text.line(len(text.text)) > text.line(0) else 0)
            yield Reading(f"{{{{ {macro.name} }}}}", task.chain, text.place, task, line=line)
        if found.is_sql(text):
            yield from self._of_sql(text, task.chain, task)
        elif text.key in SHELL_KEYS and _is_shell(task):
            yield from self._of_shell(text, task.chain, task)

    def _of_file(self, path: Path, content: str, text: Text, task: Task) -> Iterator[Reading]:
        uses = [(f"{{{{ {macro.name} }}}}", macro.line, "") for macro in self.source.jinja(content)]
        found = self.source.shell(content) if path.suffix in SHELL_FILES else self.source.sql(content)
        for use in found:
            why = (use.why or "default" * use.is_default) if isinstance(use, sqltext.Use) else ""
            uses.append((_shown_use(use), content.count("\n", 0, use.offset), why))
        for shown, line, why in uses:
            chain = (*task.chain, text.place)
            yield Reading(shown, chain, text.place, task, not why, line=line + 1, file=path, why=why)

    # Other languages

    def _of_texts_given(self, site: Site) -> Iterator[Reading]:
        runs_shell = _runs_shell(site)
        for key, value in _arguments(site.call, site.scope):
            if isinstance(value.node, ast.Constant) and not isinstance(value.node.value, str):
                continue
            for text in texts(value, self.resolver, key):
                if text.is_sql or runs_shell:
                    language = self._of_sql if text.is_sql else self._of_shell
                    for reading in language(text, site.body.chain, site.body.task):
                        yield self._of_its_task(reading, text, value, site)

    def _of_its_task(self, reading: Reading, text: Text, value: Value, site: Site) -> Reading:
        """The same of the task that gives a text to the code that several tasks share."""
        tasks = [site.body.task, *(one for one in self.dagfile.tasks if self._reaches(one, site.body.scope))]
        gives = (one for one in tasks if one and text in texts(value, bound(self.dagfile, one), text.key))
        task = next(gives, site.body.task)
        if task is None or task is site.body.task:
            return reading
        return replace(reading, task=task, chain=(*task.chain, task.place))

    def _of_returned_shell(self, body: Body) -> Iterator[Reading]:
        names = body.task.names if body.task and body.task.function is body.scope else ()
        if any(name.removesuffix("()").endswith(".task.bash") for name in names):
            for result in body.scope.returns:
                for text in texts(Value(result, body.scope), self.resolver):
                    yield from self._of_shell(text, body.chain, body.task)

    def _of_sql(self, text: Text, chain: Chain, task: Task | None) -> Iterator[Reading]:
        for use in self.source.sql(text.text):
            why = use.why or "default" * use.is_default
            line = text.line(use.offset)
            yield Reading(_shown_use(use), chain, text.place, task, not why, line=line, why=why)

    def _of_shell(self, text: Text, chain: Chain, task: Task | None) -> Iterator[Reading]:
        for use in self.source.shell(text.text):
            yield Reading(_shown_use(use), chain, text.place, task, line=text.line(use.offset))
        for sql in sql_in(text.text):
            is_printed = not sql.is_kept and sql.text.lstrip()[:6].upper() == "SELECT"
            for one in self.source.sql(sql.text) if not is_printed else ():
                why = one.why or "default" * one.is_default
                line = text.line(sql.offset + one.offset)
                yield Reading(_shown_use(one), chain, text.place, task, not why, line=line, why=why)


def _shown_use(use: sqltext.Use | shell.Use) -> str:
    if use.name.startswith("{{"):
        return use.name
    if isinstance(use, sqltext.Use):
        is_whole = use.name.lower() in sqltext.BARE_CLOCKS or use.name.startswith("'")
        return f"SQL {use.name}" + ("" if is_whole else "()")
    return f"shell {use.name}"


def _arguments(call: ast.Call, scope: Scope) -> Iterator[tuple[str, Value]]:
    for argument in call.args:
        yield "", Value(argument, scope)
    for keyword in call.keywords:
        yield keyword.arg or "", Value(keyword.value, scope)


def _is_shell(task: Task) -> bool:
    return any(name.endswith(("BashOperator", "SSHOperator")) for name in task.names)


def _runs_shell(site: Site) -> bool:
    if any(name in SHELL_CALLS for name in site.names):
        return True
    if not any(name in SUBPROCESS for name in site.names):
        return False
    if any(keyword.arg == "shell" and getattr(keyword.value, "value", False) for keyword in site.call.keywords):
        return True
    first = site.call.args[0] if site.call.args else None
    words = [getattr(word, "value", None) for word in first.elts] if isinstance(first, ast.List) else []
    return len(words) > 2 and str(words[0]).endswith("sh") and str(words[1]).startswith("-") and "c" in str(words[1])
