"""``[tool.dagproof]`` in ``pyproject.toml``: read, checked, and turned into plain objects."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from dagproof.config.placeholders import FOLDERS, PORT, POSTGRES, check_placeholders
from dagproof.config.values import as_table, as_texts, check_environment, checked
from dagproof.errors import ConfigError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


SKIP = "skip"
"""What takes the place of a task that does nothing."""
FILL_IN = "FILL-IN"
"""The value of what only the user knows, as ``dagproof init`` writes it."""


@dataclass(frozen=True)
class WorldConfig:
    """What a DAG under proof sees instead of the real thing.

    In `connections`, `variables`, `env` and `paths`, ``{postgres}`` stands for the URL of the world's database,
    ``{files}`` for its folder, ``{project}`` for that of the configuration, and the name of a service for its
    ``host:port`` (:mod:`dagproof.config.placeholders` has all of them). Anything named here may be reached from a run,
    and nothing else.
    """

    schema: tuple[str, ...] = ()
    """SQL files, dumps, folders of migrations, and commands that make the schema: applied once, to the database that
    every world is cloned from."""
    databases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further databases: names, which are placeholders, and for each what `schema` is for the first."""
    files: str = ""
    """A folder whose content each world begins with, in ``{files}``."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Absolute paths that the DAGs have in their code, and where in the world a run finds them."""
    connections: Mapping[str, str | Mapping[str, Any]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    """Helper servers: names, and for each the command that starts it, ``{port}`` standing for the port to listen on."""
    allow: tuple[str, ...] = ()
    """Further ``host:port`` a run may connect to, and absolute paths it may write below. They are not watched."""
    timeout: float = 120.0
    """Seconds of real time that one run of a DAG may take before it is killed."""
    disk: float = 4000.0
    """Megabytes that the files of a world may take before the run is killed."""

    @property
    def all_databases(self) -> tuple[str, ...]:
        """The names of all databases; the first one's is ``postgres``, whether anything speaks of it or not."""
        return (POSTGRES, *self.databases)


@dataclass(frozen=True)
class ProofConfig:
    """How one DAG is proven."""

    after: tuple[str, ...] = ()
    """DAGs to run first, for each date."""
    ignore: tuple[str, ...] = ()
    """What may differ: ``table.column``, ``table.*``, ``structure of table`` (its indexes, constraints, triggers; the
    definition of a view or function) or a pattern of file paths such as ``reports/*.html``."""
    dates: tuple[str, ...] = ()
    """The dates to prove; by default three that the schedule gives."""
    corrections: Mapping[str, str] = field(default_factory=dict)
    """How upstream data may change: names, and for each ``file.py:function``, an SQL file, or a folder with a folder
    of files for each date."""
    delay: float = 3600.0
    """Seconds by which the law `late` lets upstream data come too late."""
    scratch: tuple[str, ...] = ()
    """Tables and files that nobody reads but the DAG itself: a crash may leave them half-written. Of a view over such
    tables the rows are compared, whichever of them it reads."""
    skip: Mapping[str, str] = field(default_factory=dict)
    """Laws that are left out, each with the reason; every report shows both."""
    exempt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each law, the tables and files that it does not look at; every verdict shows them."""
    history: tuple[str, ...] = ()
    """Tables that keep history (versions, soft deletes, logs), or ``table.column`` for the column that ends a version.
    Where data were corrected, or dates ran in another order, their current rows are compared; a log may have more rows,
    and must keep those that it has."""
    generated_keys: str | Mapping[str, str] = "renamed"
    """How keys are compared that the database generates (identities, sequences, uuids): ``renamed``, up to other values
    that the foreign keys follow, or ``stable``, as they are. As a table, by patterns of tables and columns such as
    ``core.*``, of which the last that matches counts; ``"notes.order_id" = "orders.id"`` is a foreign key that no
    constraint declares."""
    may_fail: tuple[str, ...] = ()
    """Tasks that may fail: ids, or patterns such as ``notify_*``; every verdict shows those that did. A run in which
    another task fails is a failed one, also where Airflow calls it green."""
    outage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For the law `outage`: `allow` lists errors after which a run may end green without its rows, each as
    ``task: error``, such as ``fetch: connection refused``, or as patterns of both; every verdict shows them."""
    conf: Mapping[str, object] = field(default_factory=dict)
    """What each run gets as its `conf`, as when somebody triggers it with that; it overrides params."""
    tasks: Mapping[str, str] = field(default_factory=dict)
    """Tasks that are taken out: ids or patterns, and for each ``skip`` (it does nothing, and succeeds) or the
    ``file.py:function`` that is called in its place; every verdict shows them."""


@dataclass(frozen=True)
class CheckConfig:
    """How ``dagproof check`` looks at DAG files."""

    timeout: float = 30.0
    """Seconds that importing one file may take before its process is killed."""
    memory: float = 4000.0
    """Megabytes of memory that importing one file may take."""
    plugins: str = ""
    """The folder of Airflow's plugins; by default the one that Airflow is told, or `plugins` beside the DAG folder."""
    baseline: str = ""
    """The file of the findings that are known already; none where it is empty."""
    others: bool = True
    """Whether to read SQL, models of dbt, and scripts and notebooks of Spark, too."""


@dataclass(frozen=True)
class PathConfig:
    """What holds for the files that match a pattern."""

    ignore: tuple[str, ...] = ()
    """Rules to leave out there."""
    select: tuple[str, ...] = ()
    """The rules to look for there, instead of all that were chosen."""


T = TypeVar("T", WorldConfig, ProofConfig, CheckConfig, PathConfig)


@dataclass(frozen=True)
class Config:
    """The whole of ``[tool.dagproof]``; `root` is the folder that its paths are relative to."""

    root: Path = Path()
    dags: str = "dags"
    pythonpath: tuple[str, ...] = (".",)
    """Folders that the DAGs import from, besides the DAG folder itself."""
    select: tuple[str, ...] = ()
    """The rules that ``dagproof check`` looks for: names, codes, or how codes begin; all where it is empty."""
    ignore: tuple[str, ...] = ()
    """Rules to leave out."""
    extend_select: tuple[str, ...] = ()
    """Further rules, written ``extend-select``."""
    airflow: str = ""
    """The version of Airflow that the DAGs are meant for, such as ``3.3``; by default the installed one."""
    check: CheckConfig = field(default_factory=CheckConfig)
    paths: Mapping[str, PathConfig] = field(default_factory=dict)
    """By a pattern such as ``dags/legacy/**``, relative to the root."""
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The options of rules, by their names."""
    world: WorldConfig = field(default_factory=WorldConfig)
    proofs: Mapping[str, ProofConfig] = field(default_factory=dict)
    max_points: int | None = None
    """At how many points of a run `crash` kills it, and `outage` lets it meet an error, at most; all by default. An
    option sets it, no key."""
    all_errors: bool = False
    """Whether `outage` tries each error at each point, and not the usual one. An option sets it, no key."""
    source: Path | None = None
    """The file it was read from; None when there is none and every value is the default."""

    @property
    def dags_folder(self) -> Path:
        """The DAG folder as an absolute path."""
        return (self.root / self.dags).resolve()

    def proof(self, dag_id: str) -> ProofConfig:
        """Return how `dag_id` is proven: its own table, or the defaults."""
        return self.proofs.get(dag_id, ProofConfig())


def find_pyproject(start: Path) -> Path | None:
    """Return the nearest ``pyproject.toml`` at or above `start` that has a ``[tool.dagproof]`` table."""
    for folder in (start.resolve(), *start.resolve().parents):
        candidate = folder / "pyproject.toml"
        tools = read_toml(candidate).get("tool") if candidate.is_file() else None
        if isinstance(tools, Mapping) and "dagproof" in tools:
            return candidate
    return None


def load_config(start: Path) -> Config:
    """Read the configuration that holds for the folder `start`; the defaults where there is none.

    Raises:
        ConfigError: the file is no TOML, a key is unknown, or a value has the wrong type.
    """
    path = find_pyproject(start)
    if path is None:
        return Config(root=start.resolve())
    return parse_config(read_toml(path)["tool"]["dagproof"], root=path.parent, source=path)


def parse_config(table: Mapping[str, Any], *, root: Path, source: Path | None = None) -> Config:
    """Turn the content of ``[tool.dagproof]`` into a :class:`Config`; `root` is what its paths are relative to.

    Raises:
        ConfigError: a key is unknown (the nearest valid one is offered), or a value has the wrong type.
    """
    where = "tool.dagproof"
    table = as_table(table, where)
    world = as_table(table.get("world", {}), f"{where}.world")
    top = {k: v for k, v in table.items() if k not in {"world", "proofs", "check", "paths", "rules"}}
    if "extend-select" in top:
        top["extend_select"] = top.pop("extend-select")
    reserved = {"root", "source", "max_points", "all_errors"}
    world = {**world, "variables": as_texts(world.get("variables", {}), f"{where}.world.variables")}
    check_environment(world, f"{where}.world")
    _check_services(as_table(world.get("services", {}), f"{where}.world.services"), f"{where}.world.services")
    config = Config(
        root=root.resolve(),
        source=source,
        world=_build(WorldConfig, world, f"{where}.world"),
        check=_build(CheckConfig, as_table(table.get("check", {}), f"{where}.check"), f"{where}.check"),
        proofs=_tables(ProofConfig, table.get("proofs", {}), f"{where}.proofs"),
        paths=_tables(PathConfig, table.get("paths", {}), f"{where}.paths"),
        rules={name: dict(as_table(body, f"{where}.rules.{name}")) for name, body in _rules_of(table, where).items()},
        **_values(Config, top, where, known={f.name for f in fields(Config)} - reserved),
    )
    _check_places(config, where)
    return config


def _check_places(config: Config, where: str) -> None:
    """Refuse names and placeholders that stand for nothing, and paths that are not absolute."""
    world = config.world
    for name in world.databases:
        _check_name(f"{where}.world.databases.{name}", name, "database", {POSTGRES, *world.services})
    for table in ("connections", "variables", "env", "paths"):
        for key, value in getattr(world, table).items():
            check_placeholders(value, f"{where}.world.{table}.{key}", world.all_databases, world.services)
    for setting, entries in (("schema", world.schema), *((f"databases.{n}", e) for n, e in world.databases.items())):
        check_placeholders(entries, f"{where}.world.{setting}", world.all_databases, world.services)
    for dag_id, proof in config.proofs.items():
        check_placeholders(proof.conf, f"{where}.proofs.{dag_id}.conf", world.all_databases, world.services)
        for task, instead in proof.tasks.items():
            if instead != SKIP and not re.search(r"\.py:[^\W\d]\w*$", instead):
                raise ConfigError(
                    f"{where}.proofs.{dag_id}.tasks.{task} is {instead!r}; write 'skip', or 'path/to/file.py:function' "
                    f"for what is called instead"
                )
    for path, target in world.paths.items():
        if not path.startswith("/") or path.strip("/") == "" or ".." in path.split("/"):
            raise ConfigError(
                f"{where}.world.paths has {path!r}, which is not an absolute path; write one that begins with /"
            )
        if not target.startswith("{files}") or ".." in target.split("/"):
            raise ConfigError(
                f"{where}.world.paths.{path} is {target!r}; it must lead into the world; write {{files}} or a path "
                f"below it, such as '{{files}}/data'"
            )


def _check_name(where: str, name: str, kind: str, taken: Collection[str]) -> None:
    """Refuse a name that cannot be a placeholder of its own."""
    reserved = (*FOLDERS, POSTGRES, PORT)
    if not re.fullmatch(r"[a-zA-Z_]\w*", name, re.ASCII) or name in reserved:
        raise ConfigError(
            f"{where}: a {kind}'s name becomes a placeholder: letters, digits and _, and none of {', '.join(reserved)}"
        )
    if name in taken:
        raise ConfigError(f"{where}: there is a service {name!r}, too; a placeholder stands for one thing, rename one")


def _check_services(commands: Mapping[str, Any], where: str) -> None:
    """Refuse a name that is no placeholder of its own, and a command that does not say where its port belongs."""
    for name, command in commands.items():
        _check_name(f"{where}.{name}", name, "service", ())
        if not isinstance(command, str):
            continue  # whoever checks types says so
        found = re.findall(r"\{(\w+)\}", command)
        if unknown := [other for other in found if other != PORT]:
            raise ConfigError(f"{where}.{name} has the placeholder {{{unknown[0]}}}{nearest(unknown[0], [PORT])}")
        if not found:
            raise ConfigError(f"{where}.{name} is {command!r}; it must contain {{port}}, in place of the port number")
        try:
            shlex.split(command)
        except ValueError as error:
            raise ConfigError(
                f"{where}.{name} is {command!r}, which is not a valid command ({error}); close the quote"
            ) from None


def _rules_of(table: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The options of rules; the rules themselves check them, when they are asked for."""
    return as_table(table.get("rules", {}), f"{where}.rules")


def _tables(kind: type[T], tables: object, where: str) -> dict[str, T]:
    """Return a table of tables, each as the dataclass `kind`."""
    named = as_table(tables, where)
    return {name: _build(kind, as_table(body, f"{where}.{name}"), f"{where}.{name}") for name, body in named.items()}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        ConfigError: it is not valid.
    """
    try:
        return toml_of(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML ({error}); fix the file") from error


def toml_of(text: str, path: Path) -> dict[str, Any]:
    """Return the content of TOML text; `path` is the file that a message names.

    Raises:
        ConfigError: it is not valid.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path} is not valid TOML (it is nested too deeply); fix the file") from None
    except ValueError as error:  # also a number of more digits than Python converts
        raise ConfigError(f"{path} is not valid TOML ({error}); fix the file") from error


def _build(kind: type[T], body: Mapping[str, Any], where: str) -> T:
    return kind(**_values(kind, body, where, known={f.name for f in fields(kind)}))


def _values(kind: type[Any], body: Mapping[str, Any], where: str, *, known: set[str]) -> dict[str, Any]:
    """Check each key and value of one table against the fields of the dataclass `kind`."""
    values: dict[str, Any] = {}
    defaults = {f.name: f for f in fields(kind)}
    for key, value in body.items():
        if key not in known:
            raise ConfigError(f"[{where}] has no key {key!r}{nearest(key, known)}")
        values[key] = checked(value, str(defaults[key].type), f"{where}.{key}")
    return values
