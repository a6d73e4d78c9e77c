"""What a pytest session knows of dagproof: its settings, and the server and driver that it starts once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dagproof.config import Config
    from dagproof.postgres.server import PostgresServer
    from dagproof.runs.driver import Driver


class Resources:
    """What the session starts once, on first use, and stops at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._server: PostgresServer | None = None
        self._driver: Driver | None = None

    def server(self) -> PostgresServer:
        """Return the PostgreSQL server of the session."""
        if self._server is None:
            from dagproof.postgres.servers import start_server

            self._server = self._stack.enter_context(start_server(postgres_kind(self._config)))
        return self._server

    def driver(self) -> Driver:
        """Return the driver of the session, with a worker on each machine that a law needs."""
        if self._driver is None:
            from dagproof.laws import all_laws, check_law_names
            from dagproof.proof.prover import machines_for
            from dagproof.runs.driver import open_driver
            from dagproof.worlds.settings import needs_postgres

            settings = settings_of(self._config)
            check_law_names(settings)
            where = self.server() if needs_postgres(settings.world) else postgres_kind(self._config)
            laws = () if self._config.option.collectonly else all_laws()  # none is tried then
            self._driver = self._stack.enter_context(open_driver(settings, postgres=where, machines=machines_for(laws)))
        return self._driver

    def close(self) -> None:
        """Stop and remove all of it."""
        self._stack.close()


RESOURCES = pytest.StashKey[Resources]()
LEFT_OUT = "left out"
"""The name of the properties of a test, in JUnit's XML too, that say what its verdict does not vouch for."""


def postgres_kind(config: pytest.Config) -> str:
    """The kind of server that was asked for, on the command line or in the ini file."""
    return str(config.getoption("--postgres") or config.getini("dagproof_postgres"))


def dags_folder(config: pytest.Config) -> Path | None:
    """The DAG folder to collect from; None when none was named.

    On the command line it counts from where pytest was started, in the ini file from there.
    """
    option = config.getoption("--dagproof-dags")
    if option:
        return Path(config.invocation_params.dir, option).resolve()
    setting = config.getini("dagproof_dags")
    return (config.rootpath / setting).resolve() if setting else None


def settings_of(config: pytest.Config) -> Config:
    """Return ``[tool.dagproof]`` as it holds for this session.

    Raises:
        pytest.UsageError: it is wrong.
    """
    from dataclasses import replace

    from dagproof.config import load_config
    from dagproof.errors import ConfigError

    folder = dags_folder(config)
    try:
        settings = replace(
            load_config(config.rootpath),
            max_points=config.getoption("--dagproof-max-points"),
            all_errors=config.getoption("--dagproof-all-errors"),
        )
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    return replace(settings, dags=str(folder)) if folder else settings
