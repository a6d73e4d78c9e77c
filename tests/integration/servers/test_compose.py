"""docker-compose.yml gives a server to keep, and gives it to this machine alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from dagproof.postgres.server import ServerError, free_port, unique_name
from dagproof.postgres.servers import start_server
from tests.support.compose import ROOT, compose_program

pytestmark = pytest.mark.slow

Compose = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of a stack of this test's own."""
    path = tmp_path_factory.mktemp("compose") / "env"
    subprocess.run([sys.executable, ROOT / "stack" / "env.py", path], check=True, stdout=subprocess.DEVNULL)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"POSTGRES_PORT={free_port()}\n")
    return path


@pytest.fixture(scope="module")
def compose(docker_engine: None, secrets: Path) -> Compose:
    """Run Compose, version 2 or 1, on a project of this test's own."""
    program = compose_program()
    project = unique_name("compose").replace("_", "-")

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [*program, "--env-file", str(secrets), "-p", project, *arguments]
        environment = {**os.environ, **variables}
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)

    return run


@pytest.fixture
def kept(compose: Compose, secrets: Path) -> Iterator[str]:
    """The address of a server that Compose has started."""
    said = dict(line.split("=", 1) for line in secrets.read_text(encoding="utf-8").splitlines())
    try:
        up = compose("up", "-d", "postgres")
        assert up.returncode == 0, up.stderr
        yield f"postgresql://postgres:{said['POSTGRES_PASSWORD']}@127.0.0.1:{said['POSTGRES_PORT']}/postgres"
    finally:
        compose("down", "-v")


def test_a_proof_can_use_the_server_that_compose_keeps(kept: str) -> None:
    """By its address."""
    for _ in range(100):
        try:
            with start_server(kept) as server:
                server.create_database(unique_name())
            return
        except ServerError:
            time.sleep(0.2)
    pytest.fail("the server did not come up in 20 seconds")


def test_it_becomes_healthy_and_listens_on_loopback_alone(compose: Compose, kept: str) -> None:
    """Nobody else on the network can reach it."""
    container = compose("ps", "-q", "postgres").stdout.strip()
    template = "{{.State.Health.Status}} {{json .NetworkSettings.Ports}}"
    for _ in range(100):
        command = ["docker", "inspect", "-f", template, container]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if said.startswith("healthy"):
            break
        time.sleep(0.2)
    assert said.startswith('healthy {"5432/tcp":[{"HostIp":"127.0.0.1",')


def test_it_needs_secrets_of_your_own(compose: Compose) -> None:
    """There is none that everybody knows, and it says how to have them."""
    refused = compose("config", POSTGRES_PASSWORD="")
    assert refused.returncode != 0
    assert "run python3 stack/env.py" in refused.stderr


def test_compose_reads_all_of_the_file(compose: Compose) -> None:
    """Each variable has a value then, and each connection is JSON."""
    read = compose("config")
    assert read.returncode == 0, read.stderr
    airflow = yaml.safe_load(read.stdout)["services"]["scheduler"]["environment"]
    connections = {name: json.loads(value) for name, value in airflow.items() if name.startswith("AIRFLOW_CONN_")}
    assert connections["AIRFLOW_CONN_POSTGRES_DEFAULT"]["schema"] == "warehouse"
    assert "" not in airflow.values()
