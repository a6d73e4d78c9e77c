"""A stack of its own for the tests: brought up, spoken to, and taken down whatever happens."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg

from dagproof.postgres.server import free_port, unique_name
from tests.support.compose import ROOT, compose_program

PORTS = ("POSTGRES_PORT", "AIRFLOW_PORT", "S3_PORT", "SFTP_PORT", "MODEL_PORT", "MAIL_PORT")
PATIENCE = 900.0  # seconds that anything may take; a machine may be slow
ROWS = 200  # users of a day

Found = TypeVar("Found")


class Stack:
    """The servers of docker-compose.yml, under a name and on ports that nobody else has."""

    def __init__(self, folder: Path) -> None:
        self.project = unique_name("stack").replace("_", "-")
        self.log = folder / "compose.log"
        self._file = folder / "env"
        subprocess.run([sys.executable, ROOT / "stack" / "env.py", self._file], check=True, stdout=subprocess.DEVNULL)
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={free_port()}\n" for name in PORTS)
            file.write(f"USERS_SOURCE=generator:{ROWS}\n")
        lines = self._file.read_text(encoding="utf-8").splitlines()
        self.env = dict(line.split("=", 1) for line in lines)
        self._compose = [*compose_program(), "--env-file", str(self._file), "-p", self.project]
        self._keeper: subprocess.Popen[str] | None = None

    def up(self) -> None:
        """Build, start, and wait until all is healthy.

        A shell does this and waits for us to end, however we do: then it takes everything down. So it is when we are
        killed, and also in the middle of this.
        """
        up, down = (
            shlex.join([*self._compose, *words]) for words in (["up", "-d", "--build"], ["down", "-v", "-t", "5"])
        )
        log = shlex.quote(str(self.log))
        script = f"{up} >{log} 2>&1; echo up $?; cat >/dev/null; {down} >>{log} 2>&1; echo down $?"
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._keeper = subprocess.Popen(
            ["sh", "-c", script], cwd=ROOT, env=self._environment(), start_new_session=True, **pipes
        )
        assert self._said() == "up 0", self.log.read_text(encoding="utf-8")
        self.wait("healthy servers", lambda: all(health == "healthy" for health in self.health().values()) or None)

    def down(self) -> None:
        """Take everything down, and look that it is gone."""
        assert self._keeper
        assert self._keeper.stdin
        self._keeper.stdin.close()
        with self._keeper:
            said = [line.strip() for line in self._keeper.stdout or []]
        assert said[-1:] == ["down 0"], self.log.read_text(encoding="utf-8")
        assert self.left() == {"ps": [], "volume": [], "network": []}

    def left(self) -> dict[str, list[str]]:
        """Return what the engine has of this stack: containers, volumes and networks."""
        label = f"label=com.docker.compose.project={self.project}"
        kinds = {"ps": ["ps", "-aq"], "volume": ["volume", "ls", "-q"], "network": ["network", "ls", "-q"]}
        return {kind: _docker(*words, "--filter", label).split() for kind, words in kinds.items()}

    def health(self) -> dict[str, str]:
        """Return the health of each server by its name."""
        label = '{{index .Config.Labels "com.docker.compose.service"}}'
        health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}unknown{{end}}"
        return dict(line.split() for line in self._inspect(f"{label} {health}"))

    def ports(self) -> list[dict[str, Any]]:
        """Return what each server publishes."""
        return [json.loads(line) for line in self._inspect("{{json .NetworkSettings.Ports}}")]

    def run(self, server: str, *command: str) -> str:
        """Run a command beside a server; return what it prints."""
        return self._call("exec", "-T", server, *command)

    def logs(self, server: str) -> str:
        """Return what a server has logged."""
        return self._call("logs", "--no-color", server)

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the warehouse."""
        place = f"postgresql://postgres@127.0.0.1:{self.env['POSTGRES_PORT']}/warehouse"
        return psycopg.connect(place, password=self.env["POSTGRES_PASSWORD"], autocommit=True)

    def airflow(self) -> httpx.Client:
        """Return a client of Airflow's API, as its user `admin`."""
        address = f"http://127.0.0.1:{self.env['AIRFLOW_PORT']}"
        who = {"username": "admin", "password": self.env["AIRFLOW_ADMIN_PASSWORD"]}
        token = (
            httpx.post(f"{address}/auth/token", json=who, timeout=PATIENCE).raise_for_status().json()["access_token"]
        )
        return httpx.Client(
            base_url=f"{address}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
        )

    def wait(self, what: str, look: Callable[[], Found | None]) -> Found:
        """Look again and again until there is something; return it."""
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            assert time.monotonic() < deadline, f"no {what} in {PATIENCE:.0f} s: {self.health()}\n{self._tail()}"
            time.sleep(1)
        return found

    def _environment(self) -> dict[str, str]:
        # What the file says is what holds, and Compose would let the environment win.
        return {name: value for name, value in os.environ.items() if name not in self.env}

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [*self._compose, *words], cwd=ROOT, env=self._environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _inspect(self, template: str) -> list[str]:
        return _docker("inspect", "-f", template, *self.left()["ps"]).splitlines()

    def _said(self) -> str:
        assert self._keeper
        assert self._keeper.stdout
        return self._keeper.stdout.readline().strip()

    def _tail(self) -> str:
        return self._call("logs", "--no-color", "--tail", "40")


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout
