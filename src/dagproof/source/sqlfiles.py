"""Files of SQL that no DAG file names: models of dbt with their configuration, and templates that Airflow renders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dagproof.source.templates import environment

PROJECT = "dbt_project.yml"
KEYS = ("materialized", "unique_key", "incremental_strategy", "full_refresh", "pre_hook", "pre-hook", "enabled")
ATHENA = ("s3_data_dir", "s3_data_naming", "table_type", "partitioned_by")
"""Keys of dbt-athena, which replaces partitions by default."""
AIRFLOW = re.compile(r"\{\{[^}]*\b(?:ds|ds_nodash|ts|ts_nodash|logical_date|data_interval_(?:start|end))\b")
_COMMENT = re.compile(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", re.DOTALL)
_SKIPPED = re.compile(r"\{%-?\s*(?:snapshot|test|macro|materialization|docs|data_test)\b")
Kind = Literal["model", "template", "other"]


@dataclass(frozen=True)
class SqlFile:
    """One file of SQL.

    Args:
        text: its text.
        code: the same without comments, character by character at the same place.
        config: of a model: what is set for it, by itself, its properties, or its project; ``...`` where that is not
            known.
        is_open: whether something else may be set that can't be told.
    """

    path: Path
    shown: str
    text: str
    code: str
    kind: Kind
    config: Mapping[str, object] = field(default_factory=dict)
    is_open: bool = False

    @property
    def is_stored(self) -> bool:
        """Whether it surely leaves rows: a table or an incremental model; a view is asked anew each time."""
        return self.config.get("materialized") in ("table", "incremental")


@dataclass
class DbtProjects:
    """The dbt projects around files of SQL, each read once."""

    known: dict[Path, DbtProject | None] = field(default_factory=dict)

    def around(self, path: Path) -> DbtProject | None:
        """Return the project that a file is in; None where it is in none."""
        for folder in path.parents:
            if folder not in self.known:
                file = folder / PROJECT
                self.known[folder] = DbtProject(folder) if file.is_file() else None
            if found := self.known[folder]:
                return found
        return None


class DbtProject:
    """One dbt project: where its models are, and what its YAML files set for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._settings = _yaml(folder / PROJECT)
        self.is_known = self._settings is not None
        settings = self._settings or {}
        given = settings.get("model-paths") or settings.get("source-paths") or ["models"]
        self.models = [folder / str(one) for one in given] if isinstance(given, list) else [folder / "models"]
        self._properties: dict[str, dict[str, object]] | None = None

    def is_model(self, path: Path) -> bool:
        """Say whether a file is one of the project's models."""
        return any(path.is_relative_to(folder) for folder in self.models)

    def config_of(self, path: Path) -> dict[str, object]:
        """Return what the project and its YAML files set for a model, the nearer one on top."""
        found: dict[str, object] = {}
        level = (self._settings or {}).get("models")
        top = next(folder for folder in self.models if path.is_relative_to(folder))
        name = str((self._settings or {}).get("name", ""))
        for part in ("", name, *path.relative_to(top).with_suffix("").parts):
            level = level if not part else level.get(part) if isinstance(level, dict) else None
            if isinstance(level, dict):
                found.update(_config(level))
        return {**found, **self._of_properties().get(path.stem, {})}

    def _of_properties(self) -> dict[str, dict[str, object]]:
        if self._properties is None:
            self._properties = {}
            files = [file for folder in self.models for file in sorted(folder.rglob("*.y*ml")) if folder.is_dir()]
            for file in files:
                data = _yaml(file)
                self.is_known = self.is_known and data is not None
                for model in (data or {}).get("models") or []:
                    if isinstance(model, dict) and isinstance(config := model.get("config"), dict):
                        self._properties.setdefault(str(model.get("name")), {}).update(_config(config))
        return self._properties


def read_sql(path: Path, shown: str, text: str, projects: DbtProjects) -> SqlFile | None:
    """Return a file of SQL as it is looked at; None for one that is neither a model nor written for Airflow."""
    code = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    project = projects.around(path)
    if project is None:
        kind: Kind = "template" if AIRFLOW.search(code) else "other"
        return SqlFile(path, shown, text, code, kind)
    if not project.is_model(path) or _SKIPPED.search(code):
        return None
    own = _own_config(code)
    config = {**project.config_of(path), **(own or {})}
    if config.get("enabled") is False:
        return None
    return SqlFile(path, shown, text, code, "model", config, own is None or ... in own or not project.is_known)


def _own_config(code: str) -> dict[Any, object] | None:
    """What ``config(…)`` in a model sets, ``...`` for what is not known; None where it can't be read."""
    if "config" not in code:
        return {}
    from jinja2 import TemplateError, nodes

    try:
        tree = environment().parse(code)
    except (TemplateError, RecursionError):
        return None
    found: dict[Any, object] = {}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "config":
            if call.dyn_kwargs is not None or call.dyn_args is not None or call.args:
                found[...] = ...
            for keyword in call.kwargs:
                try:
                    found[keyword.key] = keyword.value.as_const()
                except nodes.Impossible:
                    found[keyword.key] = ...
    return found


def _config(given: Mapping[Any, Any]) -> dict[str, object]:
    """The settings of a level of YAML, with a plus before them or not; the value of a template is not known."""
    found: dict[str, object] = {}
    for key, value in given.items():
        name = str(key).removeprefix("+")
        if name in (*KEYS, *ATHENA) and not (isinstance(value, dict) and not str(key).startswith("+")):
            found[name] = ... if isinstance(value, str) and "{{" in value else value
    return found


def _yaml(path: Path) -> dict[str, Any] | None:
    """The content of a YAML file; None where it can't be read, or nothing is there that reads YAML."""
    try:
        import yaml
    except ImportError:
        return None
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, yaml.YAMLError, RecursionError):
        return None
    return data if isinstance(data, dict) else {}
