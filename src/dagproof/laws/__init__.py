"""Laws: relations between runs that must hold. One file each; a file that is put here is a law from then on."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from dagproof.config import Config
from dagproof.errors import ConfigError, UsageError, nearest
from dagproof.laws.base import Finding, Law, NotApplicableError
from dagproof.laws.verdict import Verdict

__all__ = ["Finding", "Law", "NotApplicableError", "Verdict", "all_laws", "check_law_names", "law_named"]


@cache
def all_laws() -> tuple[Law, ...]:
    """Return every law, in the order in which they are proven."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    laws = [kind() for kind in Law.__subclasses__() if kind.__module__.startswith(f"{__name__}.")]
    return tuple(sorted(laws, key=lambda law: law.order))


def law_named(name: str) -> Law:
    """Return the law called `name`.

    Raises:
        UsageError: there is none; the nearest name is offered.
    """
    laws = {law.name: law for law in all_laws()}
    if name not in laws:
        raise UsageError(f"there is no law {name!r}{nearest(name, laws)}")
    return laws[name]


def check_law_names(config: Config) -> None:
    """Refuse names of laws that do not exist.

    Raises:
        ConfigError: with the nearest law.
    """
    laws = {law.name for law in all_laws()}
    for dag_id, proof in config.proofs.items():
        for table, names in (("skip", proof.skip), ("exempt", proof.exempt)):
            for name in names:
                if name not in laws:
                    where = f"[tool.dagproof.proofs.{dag_id}.{table}]"
                    raise ConfigError(f"{where} names {name!r}, which is not a law{nearest(name, laws)}")
