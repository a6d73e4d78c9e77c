"""A PostgreSQL server in a container, by Testcontainers."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import secrets
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagproof import reaper
from dagproof.postgres.server import (
    LOOPBACK,
    SETTINGS,
    PostgresServer,
    ServerError,
    complaint,
    first_sentence,
    wait_until_it_answers,
)

if TYPE_CHECKING:  # importing this module is cheap, for the pytest plugin's sake
    from testcontainers.core.container import DockerContainer


def engine_problem() -> str | None:
    """Why no Docker engine can be used, with the ways out; None when one answers."""
    try:
        import docker
        from testcontainers.core.docker_client import DockerClient
    except ImportError:
        return "Testcontainers is not installed; pip install 'dagproof[testcontainers]'"
    try:
        client = DockerClient(timeout=20).client
        with contextlib.closing(client):
            client.ping()
    except (docker.errors.DockerException, OSError) as error:
        where = os.environ.get("DOCKER_HOST", "its usual socket")
        problem = (
            f"no Docker engine answers at {where} ({_root_cause(error)}); start Docker, or use --postgres embedded"
        )
    else:
        return None
    with warnings.catch_warnings():
        # A client that could not be made does not close its socket. Nobody else should have to hear of it.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return problem


def _root_cause(error: BaseException) -> str:
    """What the operating system said, below the layers that passed it on."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return (getattr(error, "strerror", None) or first_sentence(error)).lower()


@contextlib.contextmanager
def in_container() -> Iterator[PostgresServer]:
    """Start a server in a container, for the length of the block."""
    problem = engine_problem()
    if problem:
        raise ServerError(f"PostgreSQL cannot be started in a container: {problem}")
    password = secrets.token_urlsafe(24)
    container = _container(password)
    with contextlib.closing(container.get_docker_client().client), _started(container) as name:
        port = _published_port(container, name)
        # Not "localhost": that may mean ::1 first, where nobody listens.
        host = LOOPBACK if _is_local(container) else container.get_container_host_ip()
        server = PostgresServer("testcontainers", host=host, port=port, user="postgres", password=password)
        wait_until_it_answers(server, functools.partial(_check_container, container, name))
        try:
            yield server
        finally:
            server.forget_created_databases()


def _container(password: str) -> DockerContainer:
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(os.environ.get("DAGPROOF_POSTGRES_IMAGE", "postgres:18"))
    container.with_name(f"dagproof-{secrets.token_hex(8)}")
    container.with_env("POSTGRES_PASSWORD", password)
    container.with_env("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C.UTF-8")
    settings = (f"-c {name}={value}" for name, value in SETTINGS.items())
    container.with_command(f"postgres {' '.join(settings)}")
    # On this machine's loopback only; an engine elsewhere has to publish the port where we can reach it.
    container.ports["5432/tcp"] = (LOOPBACK, None) if _is_local(container) else None  # type: ignore[assignment]
    return container


def _published_port(container: DockerContainer, name: str) -> int:
    """Where the container's port is reached: ``get_exposed_port`` would wait minutes for one that has ended."""
    client = container.get_docker_client()
    if not client.get_connection_mode().use_mapped_port:
        return 5432
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            return int(client.port(container.get_container_id(), 5432))
        _check_container(container, name)
        time.sleep(0.1)
    raise ServerError(f"the container {name} of image '{container.image}' publishes no port 5432; use another image")


def _is_local(container: DockerContainer) -> bool:
    return container.get_docker_client().host() in ("localhost", LOOPBACK)


@contextlib.contextmanager
def _started(container: DockerContainer) -> Iterator[str]:
    import docker
    from testcontainers.core.docker_client import get_docker_host

    name = str(container._name)
    with reaper.remove_container_later(name, get_docker_host()) as undo:
        try:
            with _without_ryuk():
                container.start()
        except (docker.errors.DockerException, OSError) as error:
            undo.settle()
            raise ServerError(
                f"the image '{container.image}' could not be started ({first_sentence(error)}); set "
                "DAGPROOF_POSTGRES_IMAGE to one that is available, or use --postgres embedded"
            ) from error
        undo.settle()
        yield name


@contextlib.contextmanager
def _without_ryuk() -> Iterator[None]:
    """Start without Testcontainers' own reaper: it is one more image to fetch, and ours does its work."""
    from testcontainers.core.config import testcontainers_config

    before = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        yield
    finally:
        testcontainers_config.ryuk_disabled = before


def _check_container(container: DockerContainer, name: str) -> None:
    """Say so when the container has ended, instead of waiting for it."""
    container.reload()
    if container.status in ("exited", "dead"):
        said = b"\n".join(reversed(container.get_logs())).decode(errors="replace")
        raise ServerError(
            f"the container {name} of image '{container.image}' ended at once ({complaint(said)}); set "
            "DAGPROOF_POSTGRES_IMAGE to another image, or use --postgres embedded"
        )
