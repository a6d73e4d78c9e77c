"""Nothing is left of a proof, however it ends: no process, no temporary folder, no database."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from dagproof.postgres.server import PostgresServer
from tests.integration.proofs.conftest import NOTHING, Project
from tests.support.processes import processes_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(params=["embedded", "url"])
def running(
    request: pytest.FixtureRequest, make_project: Callable[..., Project], embedded_server: PostgresServer
) -> Iterator[tuple[Project, subprocess.Popen[str]]]:
    """A command in the middle of a run whose task hangs and has left children behind."""
    project = make_project(services='beside = "python -m http.server --bind 127.0.0.1 {port}"')
    where = "embedded" if request.param == "embedded" else embedded_server.url("postgres")
    process = project.start("prove", "dag_waits", "--law", "deterministic", "--postgres", where)
    try:
        assert eventually(lambda: bool(project.marker.read_text()) or process.poll() is not None, 60)
        assert process.poll() is None, process.communicate()
        assert eventually(lambda: sum("sleep 10" in line for line in processes_of(project.temporary)) == 3, 10)
        assert any("http.server" in line for line in processes_of(project.temporary))
        yield project, process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def databases(server: PostgresServer) -> list[str]:
    """The databases of ours on a server that is there for others too."""
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^dagproof_(template_)?[0-9a-f]+$'"
        ).fetchall()
    return [str(name) for (name,) in rows]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda stop: stop.name)
def test_nothing_is_left_when_it_is_stopped(
    stop: signal.Signals, running: tuple[Project, subprocess.Popen[str]], embedded_server: PostgresServer
) -> None:
    """In the middle of a run, by Ctrl-C or by force."""
    project, process = running
    if stop == signal.SIGINT:
        os.killpg(process.pid, stop)  # a terminal sends it to all of the foreground
    else:
        process.send_signal(stop)
    out, err = process.communicate(timeout=30)
    assert eventually(lambda: project.left() == NOTHING), project.left()
    assert eventually(lambda: databases(embedded_server) == []), databases(embedded_server)
    assert "Traceback" not in out + err
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert err == "dagproof: interrupted; everything that was started has been stopped and removed\n"
