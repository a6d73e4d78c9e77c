"""Helper servers: they are up when they are said to be, and gone when the block ends; otherwise a sentence says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from dagproof.errors import ConfigError
from dagproof.worlds import services
from dagproof.worlds.services import ServiceError, start_services
from tests.support.waiting import eventually

SERVER = "python -m http.server --bind 127.0.0.1 {port}"
ROOT = Path(__file__).parents[3]


def answers(address: str) -> bool:
    """Tell whether somebody listens there."""
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def test_services_answer_within_the_block_and_not_after_it(tmp_path: Path) -> None:
    """Each at a place of its own, run where the project is."""
    (tmp_path / "hello").write_text("here")
    commands = {"one": SERVER, "two": SERVER}
    with start_services(commands, folder=tmp_path / "services", root=tmp_path, pythonpath=[]) as running:
        running.wait()
        one, two = running.places["one"], running.places["two"]
        assert one != two
        with urlopen(f"http://{one}/hello") as answer:
            assert answer.read() == b"here"
        assert running.endpoints == [(host, int(port)) for host, port in (one.split(":"), two.split(":"))]
    assert not answers(one)
    assert not answers(two)


def test_what_a_service_has_started_goes_with_it(tmp_path: Path) -> None:
    """Also a child that it does not wait for."""
    command = f"sh -c 'sleep 60 & echo $! > {tmp_path}/child; exec python -m http.server --bind 127.0.0.1 {{port}}'"
    with start_services({"one": command}, folder=tmp_path / "services", root=tmp_path, pythonpath=[]) as running:
        running.wait()
        child = int((tmp_path / "child").read_text())
    assert eventually(lambda: not alive(child))


def test_a_service_sees_nothing_of_the_users_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what it needs to start; it imports from where the DAGs do."""
    monkeypatch.setenv("PGHOST", "production")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "spying.py").write_text(
        "import http.server, json, os, pathlib, sys\n"
        "pathlib.Path('seen').write_text(json.dumps(dict(os.environ)))\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()\n"
    )
    commands = {"one": "python -m spying {port}"}
    folder = tmp_path / "services"
    with start_services(commands, folder=folder, root=tmp_path, pythonpath=[str(tmp_path / "lib")]) as running:
        running.wait()
    seen = (tmp_path / "seen").read_text()
    assert "PGHOST" not in seen
    assert f'"HOME": "{folder / "one"}"' in seen


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param(
            "python -c 'print(1); print(2); raise SystemExit(3)' {port}",
            "tool.dagproof.world.services.one: `python -c 'print(1); print(2); raise SystemExit(3)' PORT` ended with "
            "exit status 3; it printed:\n    1\n    2",
            id="ends",
        ),
        pytest.param(
            "sh -c 'kill -9 $$' {port}",
            "tool.dagproof.world.services.one: `sh -c 'kill -9 $$' PORT` ended by SIGKILL; it printed nothing",
            id="killed",
        ),
        pytest.param(
            "sleep 60 {port}",
            "tool.dagproof.world.services.one: `sleep 60 PORT` does not answer on port PORT after 0.1 s; it must "
            "listen on 127.0.0.1 and on the port that {port} gives; it printed nothing",
            id="silent",
        ),
    ],
)
def test_a_service_that_does_not_come_up_is_told(
    command: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its command, how it ended, and what it printed last; nothing of it is left."""
    monkeypatch.setattr(services, "PATIENCE", 0.1 if "sleep" in command else 60.0)
    monkeypatch.setattr(services, "free_port", lambda: 9)
    with (
        pytest.raises(ServiceError) as raised,
        start_services({"one": command}, folder=tmp_path / "s", root=tmp_path, pythonpath=[]) as running,
    ):
        pid = running._running["one"]._process.pid
        running.wait()
    assert str(raised.value) == message.replace("PORT", "9")
    assert not alive(pid)


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """And where it is configured."""
    with (
        pytest.raises(ConfigError, match=r"world\.services\.one: `frobnicate \d+` cannot be started \(No such file"),
        start_services({"one": "frobnicate {port}"}, folder=tmp_path / "s", root=tmp_path, pythonpath=[]),
    ):
        pass


def test_a_service_does_not_outlive_a_driver_that_is_killed(tmp_path: Path) -> None:
    """The reaper ends it."""
    program = (
        "import os, pathlib, signal, sys\nfrom dagproof.worlds.services import start_services\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        f"with start_services({{'one': {SERVER!r}}}, folder=folder / 's', root=folder, pythonpath=[]) as running:\n"
        "    running.wait()\n    print(running._running['one']._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert eventually(lambda: not alive(int(done.stdout)))


def alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_services_log_is_in_its_folder(tmp_path: Path) -> None:
    """Which is removed with all else of the proof."""
    with start_services({"one": SERVER}, folder=tmp_path / "s", root=tmp_path, pythonpath=[]) as running:
        running.wait()
        with urlopen(f"http://{running.places['one']}/"):
            assert os.listdir(tmp_path / "s" / "one") == ["log"]
