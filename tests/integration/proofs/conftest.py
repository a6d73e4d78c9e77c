"""A project to prove, the command as people run it, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Ended
from tests.support.processes import processes_of

FOLDER = Path(__file__).parent

CONFIG = """\
[tool.dagproof]
dags = {dags}

[tool.dagproof.world]
schema = ["schema.sql"]
connections = {{ shop = "{{postgres}}" }}
env = {{ DATA_ROOT = "{{files}}", OTHER_PORT = "{port}", OUTSIDE = "{outside}", MARKER = "{marker}" }}
services = {{ {services} }}
allow = ["{marker}"]
timeout = {timeout}
disk = 50
"""


@dataclass
class Project:
    """A folder with a configuration, and a folder for what is temporary."""

    root: Path
    listener: socket.socket
    dags: Path = FOLDER / "misbehaving"
    timeout: float = 120
    services: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in (self.temporary, self.outside):
            path.mkdir(parents=True)
        self.marker.touch()
        (self.root / "schema.sql").write_text("CREATE TABLE orders (id integer, dt date);\n")
        self.configure()

    @property
    def temporary(self) -> Path:
        """Where the command makes its temporary folders."""
        return self.root / "tmp"

    @property
    def outside(self) -> Path:
        """A folder that is not the world's."""
        return self.root / "outside"

    @property
    def marker(self) -> Path:
        """A file outside the world that a DAG may write, to say that it is running."""
        return self.root / "marker"

    def configure(self, extra: str = "") -> None:
        """Write the configuration, with something at its end."""
        text = CONFIG.format(
            dags=json.dumps(str(self.dags)),
            port=self.listener.getsockname()[1],
            outside=self.outside,
            marker=self.marker,
            timeout=self.timeout,
            services=self.services,
        )
        (self.root / "pyproject.toml").write_text(text + extra)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command in a process group of its own, as a shell would."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return subprocess.Popen(
            [sys.executable, "-m", "dagproof.cli", *arguments],
            cwd=self.root,
            env=env | {"TMPDIR": str(self.temporary), "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a shell starts what runs in its background deaf to Ctrl-C, and that is inherited
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: str) -> Ended:
        """Run the command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        return Ended(process.returncode, out, err)

    def left(self) -> dict[str, list[str]]:
        """What is left of all commands so far: processes, and what lies in the temporary folder."""
        return {
            "processes": processes_of(self.temporary),
            "files": sorted(str(path.relative_to(self.temporary)) for path in self.temporary.iterdir()),
        }

    def connections(self) -> int:
        """How many connections were made to the port outside."""
        self.listener.settimeout(0)
        number = 0
        while True:
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return number
            number += 1


NOTHING: dict[str, list[str]] = {"processes": [], "files": []}


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Project]]:
    """Make projects, each with a port beside it that no DAG may connect to."""
    listeners = []

    def make(**settings: Any) -> Project:
        listener = socket.socket()
        listeners.append(listener)
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        return Project(tmp_path_factory.mktemp("project"), listener, **settings)

    yield make
    for listener in listeners:
        listener.close()
