"""What the configuration names has to exist: folders, files of corrections, and the DAGs that are proven."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from dagproof.config import SKIP, Config
from dagproof.errors import ConfigError, close_to, nearest
from dagproof.histories.outages import OUTAGES
from dagproof.worlds.addresses import check_addresses
from dagproof.worlds.kinds import check_kinds
from dagproof.worlds.settings import files_folder

#: How alike a configured id and that of a DAG have to be for one to be a misspelling of the other.
MISSPELT = 0.9


def check_references(config: Config) -> None:
    """Refuse paths at which nothing is, and addresses that no run may reach.

    Raises:
        ConfigError: with the path that was looked at, or the address.
    """
    check_kinds(config.world)
    check_addresses(config.world)
    world = config.world
    files_folder(config)
    for path in config.pythonpath:
        if not (config.root / path).is_dir():
            raise ConfigError(f"tool.dagproof.pythonpath has {path!r}, but there is no folder {config.root / path}")
    for dag_id, proof in config.proofs.items():
        for name, what in proof.corrections.items():
            name_of_database, colon, path = what.partition(":")
            if ".py:" in what:
                path = what.rpartition(":")[0]
            elif not (colon and name_of_database in world.databases):
                path = what
            source = config.root / path
            if not source.exists():
                raise ConfigError(
                    f"tool.dagproof.proofs.{dag_id}.corrections.{name}: there is no file or folder {source}"
                )
        for task, instead in proof.tasks.items():
            source = config.root / instead.rpartition(":")[0]
            if instead != SKIP and not source.is_file():
                raise ConfigError(f"tool.dagproof.proofs.{dag_id}.tasks.{task}: there is no file {source}")
        _check_outage(proof.outage, f"tool.dagproof.proofs.{dag_id}.outage")


def _check_outage(table: Mapping[str, Iterable[str]], where: str) -> None:
    """Refuse keys that the table does not have, and errors that no run meets."""
    for key in table:
        if key != "allow":
            raise ConfigError(f"[{where}] has no key {key!r}{nearest(key, ['allow'])}")
    for entry in table.get("allow", ()):
        _, colon, error = (part.strip() for part in entry.partition(":"))
        if not colon:
            raise ConfigError(f"{where}.allow has {entry!r}; write TASK: ERROR, such as 'fetch: connection refused'")
        if not any(fnmatchcase(name, error) for name in OUTAGES):
            raise ConfigError(f"{where}.allow has the unknown error {error!r}{nearest(error, OUTAGES)}")


def check_dag_ids(config: Config, known: Iterable[str]) -> None:
    """Refuse a table of a DAG that does not exist, where it is the misspelt name of one that has no table.

    A table of a DAG of another folder is left alone: ``--dags`` may name any folder.

    Raises:
        ConfigError: with the DAG that was meant.
    """
    dag_ids = set(known)
    for name in config.proofs.keys() - dag_ids:
        meant = misspelt(name, dag_ids - config.proofs.keys())
        if meant:
            raise ConfigError(
                f"[tool.dagproof.proofs.{name}] names no DAG in {_shown(config)}; did you mean {meant!r}?"
            )


def check_tasks(config: Config, dag_id: str, tasks: Iterable[str], params: Iterable[str] = ()) -> None:
    """Refuse an entry of `may_fail`, `tasks` or `outage.allow` without its task, and a misspelt param in `conf`.

    Raises:
        ConfigError: with the nearest name.
    """
    known, proof = list(tasks), config.proof(dag_id)
    allowed = [entry.partition(":")[0].strip() for entry in proof.outage.get("allow", ())]
    for key, entries in (("may_fail", proof.may_fail), ("tasks", proof.tasks), ("outage.allow", allowed)):
        for entry in entries:
            if not any(fnmatchcase(task_id, entry) for task_id in known):
                raise ConfigError(
                    f"tool.dagproof.proofs.{dag_id}.{key} names {entry!r}, which is not one of its "
                    f"tasks{nearest(entry, known)}"
                )
    valid = list(params)
    for name in proof.conf:
        if name not in valid and (meant := close_to(name, valid)):
            raise ConfigError(f"tool.dagproof.proofs.{dag_id}.conf has {name!r}, which is not one of its params{meant}")


def check_names(unknown: Iterable[Mapping[str, str] | None]) -> None:
    """Refuse an entry of `ignore` or `exempt` that no lab of a DAG has found a column or a file for.

    `unknown` is what :func:`dagproof.proof.revealed.unknown_names` says of each.

    Raises:
        ConfigError: with the nearest name.
    """
    labs = [complaints for complaints in unknown if complaints is not None]
    for entry, complaint in labs[0].items() if labs else ():
        if all(entry in complaints for complaints in labs):
            raise ConfigError(complaint)


def misspelt(name: str, valid: Iterable[str]) -> str | None:
    """Return the one of the valid names that `name` is nearly, or None."""
    return next(iter(get_close_matches(name, sorted(valid), n=1, cutoff=MISSPELT)), None)


def _shown(config: Config) -> Path:
    folder = config.dags_folder
    return folder.relative_to(config.root) if folder.is_relative_to(config.root) else folder
