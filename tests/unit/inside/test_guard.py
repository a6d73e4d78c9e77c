"""The fence around a run: what it may write and where it may connect. In processes that it is put around for good."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagproof.inside.landlock import landlock

LANDLOCK = pytest.mark.skipif(
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from dagproof.inside.landlock import landlock; sys.exit('TCP' in landlock([], []))",
        ]
    ).returncode
    != 0,
    reason="this kernel has no Landlock that confines TCP, and only Python code is fenced in",
)

PROGRAM = """
import os, pathlib, shutil, socket, subprocess, sys
from dagproof.inside import guard
from dagproof.inside.guard import OutsideWorldError
inside, outside, port, other = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if {python_alone}:
    guard.landlock = lambda *arguments: ()
guard.Guard([inside], [("localhost", port)]).up()
try:
{body}
except OutsideWorldError as error:
    print("refused:", error)
except OSError as error:
    print("denied:", error)
else:
    print("done")
"""


def listening() -> socket.socket:
    """A port of this machine that answers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """The port of the world's store, and one of something else."""
    with listening() as mine, listening() as other:
        yield mine.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of the world and one that is not, with a file in each."""
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("old")
    return tmp_path / "inside", tmp_path / "outside"


def attempt(body: str, places: tuple[Path, Path], ports: tuple[int, int], *, python_alone: bool = False) -> str:
    """Return what became of some lines of Python behind the fence, or the part of it that is Python's."""
    program = PROGRAM.format(python_alone=python_alone, body=textwrap.indent(textwrap.dedent(body).strip(), "    "))
    arguments = [*map(str, places), *map(str, ports)]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ALLOWED = [
    pytest.param("(inside / 'new').write_text('x')", id="write"),
    pytest.param("(inside / 'a' / 'b').mkdir(parents=True); (inside / 'a' / 'b').rmdir()", id="folders"),
    pytest.param("os.replace(inside / 'file', inside / 'new')", id="rename"),
    pytest.param("(inside / 'a').mkdir(); os.replace(inside / 'file', inside / 'a' / 'new')", id="rename-over-folders"),
    pytest.param("(inside / 'file').unlink()", id="remove"),
    pytest.param("os.symlink(outside / 'file', inside / 'link')", id="link-to-outside"),
    pytest.param("(outside / 'file').read_text()", id="read-outside"),
    pytest.param("shutil.copy(outside / 'file', inside / 'new')", id="copy-in"),
    pytest.param("(inside / 'a').mkdir(); (inside / 'a' / 'x').touch(); shutil.rmtree(inside / 'a')", id="rmtree"),
    pytest.param("open('/dev/null', 'w').close()", id="dev-null"),
    pytest.param("os.close(os.dup(1)); os.fdopen(os.dup(1), 'w').close()", id="own-descriptors"),
    pytest.param("subprocess.run(['sh', '-c', f'echo x > {inside}/new'], check=True)", id="child-writes"),
    pytest.param("socket.create_connection(('localhost', port)).close()", id="connect-by-name"),
    pytest.param("socket.create_connection(('127.0.0.1', port)).close()", id="connect-by-address"),
    pytest.param("socket.getaddrinfo('localhost', other)", id="look-up"),
    pytest.param("a, b = socket.socketpair(); a.send(b'x'); b.recv(1)", id="socketpair"),
    pytest.param(
        "s = socket.socket(socket.AF_UNIX); s.bind(str(inside / 's')); s.listen()\n"
        "c = socket.socket(socket.AF_UNIX); c.connect(str(inside / 's'))",
        id="own-unix-socket",
    ),
]

REFUSED = [
    pytest.param("(outside / 'file').write_text('x')", id="write"),
    pytest.param("open(outside / 'file', 'a')", id="append"),
    pytest.param("open(outside / 'file', 'r+')", id="update"),
    pytest.param("os.open(outside / 'file', os.O_WRONLY)", id="os-open"),
    pytest.param("(outside / 'new').mkdir()", id="mkdir"),
    pytest.param("os.truncate(outside / 'file', 0)", id="truncate"),
    pytest.param("(outside / 'file').unlink()", id="remove"),
    pytest.param("os.replace(outside / 'file', inside / 'file')", id="move-in"),
    pytest.param("os.replace(inside / 'file', outside / 'file')", id="move-out"),
    pytest.param("os.link(inside / 'file', outside / 'new')", id="link"),
    pytest.param("os.symlink(inside / 'file', outside / 'new')", id="symlink"),
    pytest.param("shutil.copy(inside / 'file', outside / 'new')", id="copy-out"),
    pytest.param("shutil.rmtree(outside)", id="rmtree"),
    pytest.param("(inside / '..' / 'outside' / 'file').write_text('x')", id="dots"),
    pytest.param("os.symlink(outside, inside / 'd'); (inside / 'd' / 'file').write_text('x')", id="through-a-link"),
    pytest.param("os.chdir(outside); open('file', 'w')", id="relative"),
]

DENIED = [
    pytest.param("os.remove('file', dir_fd=os.open(outside, os.O_RDONLY))", id="remove-at-descriptor"),
    pytest.param("subprocess.run(['sh', '-c', f'echo x > {outside}/file'], check=True)", id="shell"),
    pytest.param("subprocess.run(['rm', str(outside / 'file')], check=True)", id="rm"),
    pytest.param(
        "subprocess.run([sys.executable, '-c', f'open({str(outside / \"file\")!r}, \"w\")'], check=True)", id="python"
    ),
    pytest.param("subprocess.run(['bash', '-c', f'echo > /dev/tcp/127.0.0.1/{other}'], check=True)", id="dev-tcp"),
    pytest.param(
        "subprocess.run([sys.executable, '-c', f'import socket; socket.create_connection((\"127.0.0.1\", {other}))'], "
        "check=True)",
        id="python-socket",
    ),
]


@pytest.mark.parametrize("body", ALLOWED)
def test_what_belongs_to_the_world_is_allowed(body: str, places: tuple[Path, Path], ports: tuple[int, int]) -> None:
    """And what changes nothing anywhere."""
    assert attempt(body, places, ports) == "done"


@pytest.mark.parametrize("python_alone", [pytest.param(False, id="kernel-too"), pytest.param(True, id="python-alone")])
@pytest.mark.parametrize("body", REFUSED)
def test_a_write_outside_is_refused(
    body: str, python_alone: bool, places: tuple[Path, Path], ports: tuple[int, int]
) -> None:
    """With the path and the two ways out, and nothing there has changed."""
    told = attempt(body, places, ports, python_alone=python_alone)
    assert told.startswith("refused: the run tried to write "), told
    assert told.endswith(
        "which is outside its world; give the DAG a folder below {files} with env, connections or paths in "
        "[tool.dagproof.world], or list the path under allow"
    )
    assert [path.name for path in places[1].iterdir()] == ["file"]
    assert (places[1] / "file").read_text() == "old"


@LANDLOCK
@pytest.mark.parametrize("body", DENIED)
def test_the_kernel_refuses_what_python_does_not_see(
    body: str, places: tuple[Path, Path], ports: tuple[int, int]
) -> None:
    """Child processes, whatever program they are, and paths below a descriptor."""
    body = f"try:\n    {body}\nexcept subprocess.CalledProcessError as e:\n    raise OSError(e)"
    assert attempt(body, places, ports).startswith("denied: ")
    assert (places[1] / "file").read_text() == "old"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("socket.create_connection(('127.0.0.1', other))", id="other-port"),
        pytest.param("socket.create_connection(('127.0.0.2', port))", id="other-host"),
        pytest.param("socket.socket().connect_ex(('127.0.0.1', other))", id="connect-ex"),
        pytest.param("import urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{other}/')", id="urlopen"),
        pytest.param(
            "import asyncio; asyncio.run(asyncio.wait_for(asyncio.open_connection('127.0.0.1', other), 5))",
            id="asyncio",
        ),
    ],
)
def test_a_connection_to_elsewhere_is_refused(body: str, places: tuple[Path, Path], ports: tuple[int, int]) -> None:
    """With host and port, and the setting that would map it."""
    told = attempt(body, places, ports)
    assert "the run tried to connect to 127.0.0." in told, told  # urllib wraps it in an error of its own
    assert "map it to {postgres} or to a service in [tool.dagproof.world], or list 127.0.0." in told


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize(
    "where", ["host=127.0.0.1 port={other}", "host=127.0.0.2 port={port}", "host=/tmp port={port}"]
)
def test_a_postgres_driver_is_refused_elsewhere(
    driver: str, where: str, places: tuple[Path, Path], ports: tuple[int, int]
) -> None:
    """Its sockets are the C library's, and another host on the port of the world's own is elsewhere."""
    pytest.importorskip(driver)
    body = f"import {driver}; {driver}.connect(f'{where} dbname=x connect_timeout=2')"
    told = attempt(body, places, ports)
    assert told.startswith("refused: the run tried to connect to "), told


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_postgres_driver_may_connect_to_the_world(
    driver: str, places: tuple[Path, Path], ports: tuple[int, int]
) -> None:
    """Here nothing answers that speaks PostgreSQL, which the driver says itself."""
    pytest.importorskip(driver)
    body = f"""
        import {driver}
        try:
            {driver}.connect(f"host=localhost port={{port}} dbname=x connect_timeout=2")
        except {driver}.OperationalError as error:
            raise OSError(error)
    """
    told = attempt(body, places, ports)
    assert told.startswith("denied: "), told
    assert "Permission denied" not in told
    assert "world" not in told


def test_a_unix_socket_outside_is_refused(tmp_path: Path, places: tuple[Path, Path], ports: tuple[int, int]) -> None:
    """Docker's, say, or a database's."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(places[1] / "s"))
        listener.listen()
        told = attempt("socket.socket(socket.AF_UNIX).connect(str(outside / 's'))", places, ports)
    assert told.startswith(f"refused: the run tried to connect to the socket {places[1]}/s")


def test_the_process_outside_is_free(tmp_path: Path) -> None:
    """Only the one that put up the fence is behind it."""
    (tmp_path / "x").write_text("x")
    assert os.access(tmp_path / "x", os.W_OK)
    assert callable(landlock)
