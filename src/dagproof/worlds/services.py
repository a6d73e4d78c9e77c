"""Helper servers that a DAG under proof may call: started once for a proof, shared by all of its worlds.

    [tool.dagproof.world]
    services = { model = "python -m etl.model.server --port {port}" }
    connections = { ml_api_default = "http://{model}" }

Each is a command that listens on the port it is given, on loopback. It runs outside of the worlds, so it must hold no
state that a DAG reads back: what one world left there, the next one would find.
"""

from __future__ import annotations

import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from dagproof.errors import ConfigError, DagproofError
from dagproof.postgres.server import LOOPBACK, free_port
from dagproof.processes.child import ChildProcess
from dagproof.worlds.worker import KEPT_ENVIRONMENT

PATIENCE = 60.0
"""Seconds in which a service has to answer."""
_TICK = 0.02
_LINES = 5


class ServiceError(DagproofError):
    """A helper server did not come up."""


class Service:
    """A helper server that has been started; :meth:`wait` tells whether it came up.

    Args:
        name: what the configuration calls it.
        command: what starts it, with ``{port}`` where the port belongs; no shell reads it.
        folder: an empty folder of its own, for its log, its HOME and its temporary files.
        root: where it runs.
        pythonpath: folders to import from.

    Raises:
        ConfigError: there is no such program.
    """

    def __init__(self, name: str, command: str, *, folder: Path, root: Path, pythonpath: Sequence[str]) -> None:
        self.port = free_port()
        self._command = command.replace("{port}", str(self.port))
        self._where = f"tool.dagproof.world.services.{name}"
        folder.mkdir(parents=True)
        env = _environment(folder, pythonpath)
        try:
            self._process = ChildProcess(shlex.split(self._command), log=folder / "log", cwd=root, env=env, whole=True)
        except OSError as error:
            raise ConfigError(f"{self._where}: `{self._command}` cannot be started ({error.strerror})") from error

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return f"{LOOPBACK}:{self.port}"

    def wait(self) -> None:
        """Return as soon as its port answers.

        Raises:
            ServiceError: it ended, or does not answer in time; says how it ended and what it printed last.
        """
        for _ in range(round(PATIENCE / _TICK)):
            if self._process.has_ended:
                how = self._process.how_it_ended
                raise ServiceError(f"{self._where}: `{self._command}` ended {how}{self._said()}")
            if _answers(self.port):
                return
            time.sleep(_TICK)
        raise ServiceError(
            f"{self._where}: `{self._command}` does not answer on port {self.port} after {PATIENCE:g} s; it must "
            f"listen on {LOOPBACK} and on the port that {{port}} gives{self._said()}"
        )

    def close(self) -> None:
        """End it, with all that it started."""
        self._process.close()

    def _said(self) -> str:
        lines = self._process.said()[-_LINES:]
        return "; it printed:\n" + "\n".join(f"    {line}" for line in lines) if lines else "; it printed nothing"


class Services:
    """The helper servers of a proof, by their names."""

    def __init__(self, running: Mapping[str, Service]) -> None:
        self._running = running

    @property
    def places(self) -> dict[str, str]:
        """What each placeholder stands for: ``host:port``."""
        return {name: service.address for name, service in self._running.items()}

    @property
    def endpoints(self) -> list[tuple[str, int]]:
        """Where a run may connect to."""
        return [(LOOPBACK, service.port) for service in self._running.values()]

    def wait(self) -> None:
        """Return when all of them answer.

        Raises:
            ServiceError: one does not come up.
        """
        for service in self._running.values():
            service.wait()


@contextmanager
def start_services(
    commands: Mapping[str, str], *, folder: Path, root: Path, pythonpath: Sequence[str]
) -> Iterator[Services]:
    """Start helper servers, all at the same time, for the length of the block; :meth:`Services.wait` waits for them.

    Raises:
        ConfigError: a program does not exist.
    """
    with ExitStack() as stack:
        running: dict[str, Service] = {}
        for name, command in commands.items():
            running[name] = Service(name, command, folder=folder / name, root=root, pythonpath=pythonpath)
            stack.callback(running[name].close)
        yield Services(running)


def _environment(folder: Path, pythonpath: Sequence[str]) -> dict[str, str]:
    """Nothing of the user's that could lead to real systems; `python` is the one that runs us."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    own = {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(pythonpath)}
    return {"LANG": "C.UTF-8", **kept, **own, "PATH": path, "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}


def _answers(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection((LOOPBACK, port), timeout=1)):
        return True
    return False
