"""The templates of a proof are filled: each entry of `schema` and of `databases` in turn."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dagproof.config.placeholders import POSTGRES
from dagproof.inside.exchange import Allowed
from dagproof.worlds.addresses import allowed_endpoints
from dagproof.worlds.databases import Templates
from dagproof.worlds.fenced import run_fenced
from dagproof.worlds.schema import Target, apply_entry
from dagproof.worlds.settings import beside, import_folders, world_environment
from dagproof.worlds.worker import KEPT_ENVIRONMENT

if TYPE_CHECKING:
    from dagproof.worlds.worlds import Worlds


def fill_templates(worlds: Worlds, templates: Templates) -> None:
    """Apply what the configuration names to each template.

    Raises:
        ConfigError: it cannot be read, or PostgreSQL or a command refuses.
    """
    config = worlds.config
    places = {**worlds.folders, **worlds.services.places, **templates.for_commands()}
    run = partial(_run, worlds, templates, places)
    for name, url in templates.direct().items():
        entries = config.world.schema if name == POSTGRES else config.world.databases[name]
        where = "tool.dagproof.world." + ("schema" if name == POSTGRES else f"databases.{name}")
        target = Target(url, templates.moves_clock, templates.server.kind == "embedded")
        for entry in entries:
            apply_entry(target, entry, config.root, where, run, places)


def _run(worlds: Worlds, templates: Templates, places: dict[str, str], command: list[str]) -> str:
    """Run a command where the configuration lies, with what the world has in its environment; return its complaint."""
    config = worlds.config
    folder = worlds.folder / "schema"
    folder.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    env = {
        "LANG": "C.UTF-8",
        **kept,
        "PYTHONPATH": os.pathsep.join(import_folders(config)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": "UTC",
        **world_environment(config.world, places),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": path,
    }
    named = allowed_endpoints(config.world)
    paths = [entry for entry in config.world.allow if entry.startswith("/")]
    allowed = Allowed(
        writable=(str(folder), *paths),
        floor=(str(folder), *paths),
        endpoints=(*named, *worlds.services.endpoints, templates.endpoint),
        beside=beside(config.world, worlds.services.places, named),
    )
    return run_fenced(command, env=env, cwd=config.root, folder=folder, allowed=allowed, timeout=config.world.timeout)
