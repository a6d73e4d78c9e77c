"""What code asks its surroundings for: connections, variables, environment, paths and hosts."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dagproof.config import FILL_IN
from dagproof.init.found import EMPTY_JSON, Entry, Found
from dagproof.init.kinds import connection, kind_named
from dagproof.source.names import Names, Resolver
from dagproof.source.project import Module, readable_scope
from dagproof.source.reading import UnreadableError, read_text
from dagproof.source.scopes import Scope
from dagproof.source.strings import PLACEHOLDER, texts
from dagproof.source.values import Value, followed

_ID = re.compile(r"[\w.-]+", re.ASCII)
_LOOKUP = re.compile(r"(?:Hook|Connection)\.(?:get_connection|get_hook|get|get_connection_from_secrets)$")
_HOOK = re.compile(r"(?:^|\.)\w+Hook$")
_VARIABLE = re.compile(r"(?:^|\.)Variable\.get$")
_ENV = ("os.environ.get", "os.getenv", "os.environ.setdefault")
_CONNECTS = re.compile(r"(?:psycopg2?|asyncpg)\.(?:\w+\.)*(?:connect|create_pool|ConnectionPool)$|\.create_engine$")
_IN_TEMPLATE = re.compile(r"\bvar\.(?P<how>value|json)\.(?P<name>\w+)|\bconn\.(?P<conn>\w+)", re.ASCII)
_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_URL = re.compile(r"\bhttps?://(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|localhost)(?::\d+)?")
_PATH = re.compile(
    r"(?:^|(?<=[\s='\"]))/(?:opt|data|mnt|srv|var|home|shared?|nfs|exports?|media|efs|landing|tmp|usr/local)"
    r"(?:/[\w.@+-]+)*/?(?=$|[\s'\";|&>{%/*?])",
    re.ASCII,
)
_TOO_HIGH = frozenset({"/opt", "/mnt", "/srv", "/var", "/home", "/media", "/tmp", "/usr/local", "/opt/airflow"})  # noqa: S108
_OF_PLACE = re.compile(r"(?:^|_)(?:PATH|DIR|DIRECTORY|FOLDER|ROOT|FILE|LOCATION)S?$", re.IGNORECASE)
_OF_DATABASE = re.compile(
    r"(?:^|_)(?:DATABASE|POSTGRES|POSTGRESQL|PG|DB|WAREHOUSE|DWH)_?(?:URL|URI|DSN)$", re.IGNORECASE
)
_PART = re.compile(r"^(?:PG|(?:\w+_)?(?:POSTGRES|POSTGRESQL|PG|DB|DATABASE)_)(?P<part>[A-Z]+)$", re.IGNORECASE)
_PARTS = {
    **dict.fromkeys(("HOST", "HOSTNAME"), "host"),
    "PORT": "port",
    **dict.fromkeys(("USER", "USERNAME"), "user"),
    **dict.fromkeys(("PASSWORD", "PASS"), "password"),
    **dict.fromkeys(("DATABASE", "DB", "NAME", "DBNAME"), "database"),
}
_GIVEN = frozenset("HOME PATH USER LOGNAME SHELL LANG TZ TMPDIR TEMP TMP PWD PYTHONPATH HOSTNAME AIRFLOW_HOME".split())  # noqa: SIM905


class Asking:
    """Collects what modules ask for.

    Args:
        resolver: what names mean.
        found: where it is noted.
    """

    def __init__(self, resolver: Resolver, found: Found) -> None:
        self._resolver = resolver
        self._found = found
        self.speaks_postgres = False
        """Whether some module speaks of PostgreSQL: what is a database's is likely its."""
        self._databases: set[ast.expr] = set()
        """Expressions that a client of PostgreSQL is given."""

    def of_module(self, module: Module) -> None:
        """Note all that one module asks for."""
        top = readable_scope(module)
        if top is None:
            return
        bodies = list(scopes_in(top))
        for call, scope in (one for body in bodies for one in body.calls):
            if any(_CONNECTS.search(name) for name in self._resolver.names(call.func, scope)):
                for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                    self._databases |= {value.node for value in followed(Value(argument, scope), self._resolver)}
        for body in bodies:
            for call, scope in body.calls:
                self._call(call, scope, module)
        seen: set[ast.AST] = {  # texts that nobody uses: docstrings
            node.value for node in top.nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for body in reversed(bodies):  # the innermost first: names mean there what they mean
            for node in body.nodes:
                if node not in seen:
                    seen.add(node)
                    self._node(node, body, module, seen)

    def of_template(self, path: Path, shown: str) -> None:
        """Note what the templates in a file ask for."""
        try:
            text = read_text(path)
        except UnreadableError:
            return
        self._template(text, lambda offset: f"{shown}:{text.count(chr(10), 0, offset) + 1}")

    # Calls

    def _call(self, call: ast.Call, scope: Scope, module: Module) -> None:
        names = self._resolver.names(call.func, scope)
        at = _at(module, call)
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        first = call.args[0] if call.args else None
        for key, node in given.items():
            if key == "conn_id" or key.endswith("_conn_id"):
                self._connections(node, scope, _at(module, node), key, names)
        if any(_VARIABLE.search(name) for name in names):
            default = len(call.args) > 1 or bool({"default", "default_var"} & set(given))
            as_json = "deserialize_json" in given
            for name in self._literals(first or given.get("key"), scope):
                self._variable(name, at, as_json=as_json, default=default)
        elif any(name in _ENV for name in names):
            fallback = call.args[1] if len(call.args) > 1 else given.get("default")
            for name in self._literals(first or given.get("key"), scope):
                self._environment(name, call, at, fallback=fallback, needed=False)
        elif any(_LOOKUP.search(name) for name in names) or (first and any(_HOOK.search(name) for name in names)):
            self._connections(first or given.get("conn_id"), scope, at, "conn_id", names)
        elif any(name.endswith(".PostgresHook") for name in names) and not given:
            self._connection("postgres_default", at, "postgres_conn_id", names)

    def _connections(self, node: ast.expr | None, scope: Scope, at: str, key: str, names: Names) -> None:
        for name in self._literals(node, scope):
            self._connection(name, at, key, names)

    def _connection(self, name: str, at: str, key: str, names: Names) -> None:
        kind, sure = kind_named(key, names, name)
        if not name:
            return
        known = self._found.connections.get(name)
        entry = connection(name, kind, at, sure=sure)
        if known is None or ((known.value is None or known.note) and entry.value is not None and not entry.note):
            self._found.connections[name] = entry

    def _literals(self, node: ast.expr | None, scope: Scope) -> Iterator[str]:
        """Yield the names that an argument may be, as far as they are written out."""
        if node is not None:
            for one in texts(Value(node, scope), self._resolver):
                if _ID.fullmatch(one.text) and PLACEHOLDER not in one.text:
                    yield one.text

    # What is no call

    def _node(self, node: ast.AST, scope: Scope, module: Module, seen: set[ast.AST]) -> None:
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            if self._resolver.names(node.value, scope) == ("os.environ",):
                for name in self._literals(node.slice, scope):
                    self._environment(name, node, _at(module, node), fallback=None, needed=True)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                word = key.value if isinstance(key, ast.Constant) else None
                if isinstance(word, str) and (word == "conn_id" or word.endswith("_conn_id")):
                    self._connections(value, scope, _at(module, value), word, ())
        elif isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            whole = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            seen.update(parts)  # a part alone may end in the middle of a name
            self._text(whole, node, module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._text(node.value, node, module)

    def _text(self, text: str, node: ast.expr, module: Module) -> None:
        def place(offset: int) -> str:
            lines = (node.end_lineno or node.lineno) - node.lineno
            exact = text.count("\n", 0, offset) if lines >= text.count("\n") else 0
            return f"{module.shown}:{node.lineno + exact}"

        self._template(text, place)
        for url in _URL.finditer(text):
            if url["host"] not in ("localhost",):
                self._found.hosts.setdefault(url["host"], Entry(None, place(url.start())))
        for path in _PATH.finditer(text):
            is_cut = text[path.end() : path.end() + 1] in tuple("{%*?")
            self._path(path[0].rpartition("/")[0] if is_cut else path[0], place(path.start()))

    def _template(self, text: str, place: Callable[[int], str]) -> None:
        for braces in _BRACES.finditer(text) if "{" in text else ():
            for one in _IN_TEMPLATE.finditer(braces[0]):
                at = place(braces.start() + one.start())
                if one["conn"]:
                    self._connection(one["conn"], at, "conn_id", ())
                elif one["name"] != "get":
                    self._variable(one["name"], at, as_json=one["how"] == "json", default=False)

    def _path(self, text: str, at: str) -> None:
        folder = text.rstrip("/")
        if re.search(r"\.\w{1,5}$", folder):
            folder = folder.rpartition("/")[0]
        own = Path(sys.prefix), self._resolver.project.base
        if not folder:
            return
        if folder in _TOO_HIGH or any(one.is_relative_to(folder) for one in own):
            note = "too high to be mapped as a whole; take the path from an environment variable"
            self._found.paths.setdefault(text, Entry(None, at, note, active=False))
        elif {"dags", "plugins"} & set(Path(folder).parts) or self._is_code(folder):
            note = "code or settings of this project; take the path from an environment variable, with {project} in env"
            self._found.paths.setdefault(folder, Entry(None, at, note, active=False))
        elif not any(Path(folder).is_relative_to(known) for known, one in self._found.paths.items() if one.active):
            for known in [one for one in self._found.paths if Path(one).is_relative_to(folder)]:
                del self._found.paths[known]
            self._found.paths[folder] = Entry(f"{{files}}/{Path(folder).name}", at)

    def _is_code(self, folder: str) -> bool:
        prefix, _, rest = folder.partition("/airflow/")
        return bool(prefix and rest) and (self._resolver.project.base / rest).is_dir()

    # Names that need a value

    def _variable(self, name: str, at: str, *, as_json: bool, default: bool) -> None:
        value = f"{{files}}/{name.lower()}" if _OF_PLACE.search(name) else EMPTY_JSON if as_json else FILL_IN
        note = "it has a default" if default else "JSON" if as_json else ""
        self._note(self._found.variables, name, Entry(value, at, note, active=not default))

    def _environment(self, name: str, node: ast.expr, at: str, *, fallback: ast.expr | None, needed: bool) -> None:
        if name.startswith("AIRFLOW_CONN_"):
            self._connection(name.removeprefix("AIRFLOW_CONN_").lower(), at, "conn_id", ())
            return
        if re.match(r"AIRFLOW_VAR_.", name):
            self._variable(name.removeprefix("AIRFLOW_VAR_").lower(), at, as_json=False, default=not needed)
            return
        if name in _GIVEN or name.startswith(("AIRFLOW__", "AIRFLOW_VAR_")):
            return
        value = self._value_of(name, node, fallback)
        note = "" if needed else "it has a default" if fallback else "it may be missing"
        active = needed or value != FILL_IN
        self._note(self._found.env, name, Entry(value, at, "" if active else note, active=active))

    def _value_of(self, name: str, node: ast.expr, fallback: ast.expr | None) -> str:
        part = _PART.match(name)
        if self.speaks_postgres and ((node in self._databases and not part) or _OF_DATABASE.search(name)):
            return "{postgres}"
        if self.speaks_postgres and part and part["part"].upper() in _PARTS:
            return f"{{postgres.{_PARTS[part['part'].upper()]}}}"
        default = fallback.value if isinstance(fallback, ast.Constant) and isinstance(fallback.value, str) else ""
        if not _OF_PLACE.search(name) and not _PATH.fullmatch(default):
            return FILL_IN
        if default and not default.startswith("/") and (self._resolver.project.base / default).exists():
            return f"{{project}}/{default}"
        return f"{{files}}/{name.lower()}"

    @staticmethod
    def _note(table: dict[str, Entry], name: str, entry: Entry) -> None:
        """Keep the first place, unless a later one needs what the first one can do without."""
        known = table.get(name)
        if known is None or (entry.active and not known.active):
            table[name] = entry


def scopes_in(scope: Scope) -> Iterator[Scope]:
    """Yield a scope and all that are defined in it."""
    yield scope
    for child in scope.children:
        yield from scopes_in(child)


def _at(module: Module, node: ast.AST) -> str:
    return f"{module.shown}:{getattr(node, 'lineno', 1)}"
