"""What one task adds to tables, files and collections, and where it makes room: in SQL and by libraries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.source import libraries
from dagproof.source.binding import bound
from dagproof.source.branches import never_happens
from dagproof.source.clients import chain_names
from dagproof.source.dagfile import Body, Chain, DagFile, Site, Task
from dagproof.source.names import Names
from dagproof.source.shellsql import sql_in
from dagproof.source.sqladds import Update, updates
from dagproof.source.sqlwrites import UNKNOWN, writes
from dagproof.source.strings import PLACEHOLDER, Text, text_of, texts
from dagproof.source.taint import Taint
from dagproof.source.templated import rendered
from dagproof.source.usage import is_log
from dagproof.source.values import Value, constant, given

MAKES_ROOM = re.compile(
    r"delete|truncat|clear|purge|overwrite|unlink|rmtree|remove|upsert|merge|wipe|reset|clean|on_conflict|on_duplicate"
    r"|drop_(?:table|partition|schema|collection|all)|^drop$|replace_one|replace_where|^rmr?$",
    re.IGNORECASE,
)
REMOVES = re.compile(r"(?:^|\s|/)-?rmr?(?:\s|$)")
"""Commands that may make room: ``aws s3 rm``, ``hdfs dfs -rm -r``."""
OF_FRAMES = frozenset(("reset_index", "merge_asof", "merge_ordered", "removeprefix", "removesuffix", "cleandoc"))
"""They sound as if they made room, and only make another frame or text."""
OF_FILES = frozenset(
    ("os.remove", "os.unlink", "shutil.rmtree", "os.removedirs", "pathlib.Path().unlink", "pathlib.Path().rmdir")
)
JOINS = frozenset(
    ("on", "how", "left_on", "right_on", "left_index", "right_index", "suffixes", "validate", "indicator")
)
EXECUTES = frozenset({"execute", "executemany", "run", "query", "sql", "execute_values", "execute_batch"})
IS_SEEN = ("<", "subprocess.", "asyncio.", "anyio.", "trio.", "uvicorn.")
"""How the names of those begin that have such a name and run no SQL, or that are the project's own and looked into."""
SHELL_KEYS = frozenset({"bash_command", "command", "arguments", "cmds", "entrypoint"})
FILE_OPENS = (
    ("open",),
    ("io.open",),
    ("codecs.open",),
    ("gzip.open",),
    ("bz2.open",),
    ("lzma.open",),
    ("aiofiles.open",),
)
FILES = "file:"
_INTO = re.compile(
    r"(?:INSERT\s+INTO|COPY)\s+(?:TABLE\s+)?((?:[\w\"`\[\].$-]|\{\{.*?\}\}|\{[^{}]*\}|%\(?\w*\)?s)+)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Append:
    """One place that adds: what to, how both are told, and the calls that lead there."""

    target: str
    """The table in lower case, ``file:…`` for a file; ``?`` where it can't be told."""
    shown: str
    to: str
    places: Chain
    way: Chain = ()
    is_doubtful: bool = False
    """Whether what adds is only known by its name."""


class Appends:
    """What one task appends and clears.

    Args:
        dagfile: where the task is.
        task: the task.
    """

    def __init__(self, dagfile: DagFile, task: Task) -> None:
        self.dagfile = dagfile
        self.task = task
        self.resolver = bound(dagfile, task)
        self.appends: list[Append] = []
        self.cleared: set[str] = set()
        self.updates: list[tuple[Update, Chain, Chain]] = []
        """Each with where it is, and the calls that run it."""
        self.used_up: set[str] = set()
        """The tables that are emptied, and not filled before: what was in them is there only once."""
        self.cannot_tell = False
        self.removes_files = False
        self._fresh: set[str] = set()
        self._temporary = Taint(self.resolver, _makes_temporary)
        self._of_operator()
        bodies = dagfile.reached_by(task)
        for site in dagfile.sites_of(bodies):
            if not is_log(site.call) and not never_happens(site.call, site.scope, self.resolver):
                self._site(site)
        for body in bodies:
            self._returned_shell(body)

    def makes_room_for(self, target: str) -> bool:
        """Say whether the task itself makes room for what is added to a target, as far as that can be told."""
        if target.startswith(FILES):
            return self.removes_files or target in self.cleared
        return self.cannot_tell or bool({target, UNKNOWN} & self.cleared)

    # Operators

    def _of_operator(self) -> None:
        for call, scope in self.task.calls:
            for keyword in call.keywords:
                for text in texts(Value(keyword.value, scope), self.resolver, keyword.arg or ""):
                    self._argument(text)
        for found in libraries.of_operator(self.task, self.resolver):
            self.appends.append(Append(found.target, found.shown, found.to, (*self.task.chain, self.task.place)))

    def _argument(self, text: Text) -> None:
        places = (*self.task.chain, text.place)
        if text.text == "WRITE_APPEND":
            self.appends.append(Append(UNKNOWN, "WRITE_APPEND", "the destination table", places))
        elif (found := rendered(text, self.dagfile, self.task)).is_sql(text):
            self.cannot_tell = self.cannot_tell or found.is_missing
            self._sql(found.content, text, places, (*self.task.chain, self.task.place))
        elif text.key in SHELL_KEYS:
            self._shell(text, places)

    def _returned_shell(self, body: Body) -> None:
        names = body.task.names if body.task and body.task.function is body.scope else ()
        if any(name.removesuffix("()").endswith(".task.bash") for name in names):
            for result in body.scope.returns:
                for text in texts(Value(result, body.scope), self.resolver):
                    self._shell(text, (*body.chain, text.place))

    def _shell(self, text: Text, places: Chain) -> None:
        for sql in sql_in(text.text):
            self._sql(sql.text, text, places)

    # Calls

    def _site(self, site: Site) -> None:
        places = (*site.body.chain, site.place)
        names = site.names or chain_names(site.call.func, site.scope, self.resolver)
        method = method_of(site.call)
        if method == "join":
            return  # the text as a whole is looked at where it is used
        if MAKES_ROOM.search(method):
            self._makes_room(site, names, method)
        found = [text for value in values_in(site) for text in texts(value, self.resolver)]
        sql = [text for text in found if text.is_sql]
        for text in sql:
            self._sql(text.text, text, way(site, text), places)
        known = list(libraries.of_call(site, names, self.resolver))
        for one in known:
            temporary = one.node is not None and self._temporary.cause(Value(one.node, site.scope))
            if not temporary:
                self.appends.append(Append(one.target, one.shown, one.to, places, places, one.is_doubtful))
        if any(name.startswith(("subprocess.", "os.system", "os.popen")) for name in names):
            for text in found:
                self._shell(text, way(site, text))
            self.cannot_tell = self.cannot_tell or any(REMOVES.search(text.text) for text in found)
        elif method in EXECUTES and not sql and not known and not any(name.startswith(IS_SEEN) for name in names):
            self.cannot_tell = self.cannot_tell or not libraries.only_reads(site, self.resolver)
        self._frames_and_files(site, names, method, places)

    def _makes_room(self, site: Site, names: Names, method: str) -> None:
        """Something is called that sounds as if it made room: it does, unless what it does is known."""
        is_ours = any(name in self.resolver.project.definitions for name in names)
        is_frame = method in OF_FRAMES or any(name.startswith(("pandas.", "polars.")) for name in names)
        is_join = method == "merge" and any(keyword.arg in JOINS for keyword in site.call.keywords)
        if any(name in OF_FILES or name.endswith((".unlink", ".rmtree")) for name in names) or method == "unlink":
            self.removes_files = True
        elif not (is_ours or is_frame or is_join) or (is_ours and self._is_opaque(names)):
            self.cannot_tell = self.removes_files = True

    def _is_opaque(self, names: Names) -> bool:
        """Whether a function of the project does nothing that could be looked at."""
        found = [made for name in names if (made := self.resolver.project.definitions.get(name))]
        return not any(made.calls or made.kind == "class" for made in found)

    def _frames_and_files(self, site: Site, names: Names, method: str, places: Chain) -> None:
        if method in ("to_sql", "to_gbq"):
            self._to_sql(site, method, places)
        elif method == "insert_rows" and any("Hook()" in name for name in names):
            self._insert_rows(site, places)
        elif method in ("to_csv", "to_json") and (path := _first(site, "path_or_buf")) is not None:
            mode = self._given(site, None, "mode")
            self._file(path, site, mode if mode is not None else "w", f'{method}(mode="a")', places)
        elif method == "open":
            self._open(site, names, places)
        for keyword in site.call.keywords:
            if keyword.arg == "write_disposition" and self._is_append(Value(keyword.value, site.scope)):
                self.appends.append(Append(UNKNOWN, "WRITE_APPEND", "the destination table", places, places))

    def _is_append(self, value: Value) -> bool:
        """Whether it is ``WRITE_APPEND``, as text or as ``WriteDisposition.WRITE_APPEND``."""
        node = value.node
        is_member = isinstance(node, ast.Attribute) and node.attr == "WRITE_APPEND"
        return is_member or constant(value, self.resolver) == "WRITE_APPEND"

    def _sql(self, sql: str, text: Text, places: Chain, way: Chain = ()) -> None:
        for write in writes(sql, self._fresh):
            if write.appends and not write.repeats:
                to = write.target if write.target != UNKNOWN else _table_written(sql[write.offset :], text)
                self.appends.append(Append(write.target, "this SQL", to, places, way))
            elif not write.appends:
                self.cleared.add(write.target)
                self.used_up |= {write.target} if write.verb in ("DELETE", "TRUNCATE") else set()
        asked = way if self.task.place not in way else ()
        self.updates += [(update, places, asked) for update in updates(sql)]

    def _to_sql(self, site: Site, method: str, places: Chain) -> None:
        how = self._given(site, 3 if method == "to_sql" else None, "if_exists")
        name = _first(site, "name" if method == "to_sql" else "destination_table")
        target, to = self._table(name, site)
        if how == "append":
            self.appends.append(Append(target, f'{method}(if_exists="append")', to, places, places))
        elif how == "replace":
            self.cleared.add(target)
        else:
            self.cannot_tell = self.cannot_tell or how is ...

    def _insert_rows(self, site: Site, places: Chain) -> None:
        if any(keyword.arg in ("replace", None) for keyword in site.call.keywords):
            self.cannot_tell = True
        target, to = self._table(_first(site, "table"), site)
        self.appends.append(Append(target, "insert_rows()", to, places, places))

    def _table(self, node: ast.expr | None, site: Site) -> tuple[str, str]:
        """The table that an argument names, as a key and as it is told."""
        return libraries.table(node, site.scope, self.resolver)

    def _open(self, site: Site, names: Names, places: Chain) -> None:
        is_method = isinstance(site.call.func, ast.Attribute) and names not in FILE_OPENS
        if any(name.startswith("<") for name in names) or not (is_method or names in FILE_OPENS):
            return
        mode = self._given(site, 0 if is_method else 1, "mode")
        path = site.call.func.value if is_method and isinstance(site.call.func, ast.Attribute) else _first(site, "file")
        if path is not None and isinstance(mode, str) and re.fullmatch(r"[awx][bt+]{0,2}", mode):
            self._file(path, site, mode, f'open(…, "{mode}")', places)

    def _file(self, path: ast.expr, site: Site, mode: object, shown: str, places: Chain) -> None:
        """A file that is written: anew, or at its end; not one in a folder that lives no longer than the task."""
        name = text_of(path, site.scope, self.resolver)
        key = FILES + (name if name and PLACEHOLDER not in name else ast.unparse(path))
        if not isinstance(mode, str) or not mode.startswith("a"):
            self.cleared |= {key} if isinstance(mode, str) and mode[:1] in ("w", "x") else set()
            self.removes_files = self.removes_files or mode is ...
        elif "log" not in ast.unparse(site.call).lower() and not self._temporary.cause(Value(path, site.scope)):
            told = name if name and PLACEHOLDER not in name else ast.unparse(path)
            self.appends.append(Append(key, shown, f"the file {_short(told)}", places, places))

    def _given(self, site: Site, position: int | None, name: str) -> object:
        return given(site.call, site.scope, self.resolver, name, position)


def way(site: Site, text: Text) -> Chain:
    """Return the calls that lead to a text that a call is given: through the call, where it stands somewhere else."""
    if text.place.module is site.scope.module:
        return (*site.body.chain, text.place)
    return (*site.body.chain, site.place, text.place)


def _makes_temporary(call: ast.Call, scope: object, names: Names) -> bool:
    """Whether a call makes a file or folder that is gone when the task ends."""
    return any(name.startswith("tempfile.") and not name.endswith(".gettempdir") for name in names)


def _table_written(sql: str, text: Text) -> str:
    """How a statement names its table where that is no plain name: by a template, a field, an f-string."""
    for written in (sql, ast.unparse(text.place.node) if isinstance(text.place.node, ast.expr) else ""):
        found = _INTO.search(written)
        if found and PLACEHOLDER not in found[1] and not found[1].strip("_").isspace():
            return f"the table that {_short(found[1])} names"
    return "a table"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def _first(site: Site, name: str) -> ast.expr | None:
    """The first argument of a call, by position or by name."""
    named = (keyword.value for keyword in site.call.keywords if keyword.arg == name)
    return next(iter([*site.call.args[:1], *named]), None)


def method_of(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def values_in(site: Site) -> Iterator[Value]:
    """Yield the arguments of a call."""
    for argument in (*site.call.args, *(keyword.value for keyword in site.call.keywords)):
        yield Value(argument, site.scope)
