"""docker-compose.yml gives a server to keep, and gives it to this machine alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagproof.worlds.servers import ServerError, free_port, start_server, unique_name

ROOT = Path(__file__).parents[3]

Compose = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def compose(docker_engine: None) -> Compose:
    """Run Compose, version 2 or 1, on a project of this test's own."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    if not plugin and not shutil.which("docker-compose"):
        pytest.skip("there is a Docker engine, but neither `docker compose` nor `docker-compose`")
    program = ["docker", "compose"] if plugin else ["docker-compose"]
    project = unique_name("compose").replace("_", "-")

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [*program, "-p", project, *arguments]
        environment = {**os.environ, **variables}
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)

    return run


@pytest.fixture
def kept(compose: Compose) -> Iterator[str]:
    """The address of a server that Compose has started."""
    settings = {"POSTGRES_PASSWORD": "choose-one", "POSTGRES_PORT": str(free_port())}
    try:
        up = compose("up", "-d", "postgres", **settings)
        assert up.returncode == 0, up.stderr
        yield f"postgresql://postgres:choose-one@127.0.0.1:{settings['POSTGRES_PORT']}/postgres"
    finally:
        compose("down", "-v", **settings)


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
    container = compose("ps", "-q", "postgres", POSTGRES_PASSWORD="x").stdout.strip()
    template = "{{.State.Health.Status}} {{json .NetworkSettings.Ports}}"
    for _ in range(100):
        command = ["docker", "inspect", "-f", template, container]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if said.startswith("healthy"):
            break
        time.sleep(0.2)
    assert said.startswith('healthy {"5432/tcp":[{"HostIp":"127.0.0.1",')


def test_it_needs_a_password_of_your_own(compose: Compose) -> None:
    """There is no default that everybody knows."""
    refused = compose("config", POSTGRES_PASSWORD="")
    assert refused.returncode != 0
    assert "choose a password" in refused.stderr
