"""What lies outside a world: addresses in the configuration, homes and temporary folders, services, refusals."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagproof.config import load_config
from dagproof.laws import law_named
from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.proof.prover import Prover
from dagproof.runs.driver import Driver, open_driver
from dagproof.runs.scope import sentences
from tests.integration.cases.conftest import Case
from tests.support.commands import Ended

HEAD = """\
import os
import socket
import subprocess
import urllib.request
from datetime import datetime
from pathlib import Path

from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=datetime(2026, 3, 1), catchup=False)
def {name}():
    @task(retries=0)
    def load(ds=None):
{body}

    load()


{name}()
"""
ROW = "(Path(os.environ['OUT']) / ds).write_text(ds)"
Copy = Callable[[str], Case]


def proved(case: Case, *laws: str, dag_id: str) -> Ended:
    """The proof of one date."""
    return case.prove(dag_id, *laws, output="text", arguments=("--date", "2026-03-01"))


def test_a_file_below_home_is_compared(case: Copy) -> None:
    """`below_home`: named as people name it."""
    ended = case("below_home").prove("home_writer", "rerun", output="text", arguments=("--date", "2026-01-01"))
    assert ended.status == 1
    assert "~/.partner/2026-01-01.csv   changed: 1 line, then 2" in ended.out


@pytest.mark.parametrize("dag_id", ["real", "real_and_file"])
def test_a_literal_address_is_refused_before_anything_runs(case: Copy, dag_id: str) -> None:
    """`literal_address`: with the setting and each way out."""
    ended = case("literal_address").prove(dag_id)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(
        "dagproof: tool.dagproof.world.connections.warehouse contains the address 127.0.0.1:55432, which is outside "
        "the world; write {postgres} for the world's database"
    )


@pytest.mark.parametrize(
    ("dag_id", "told"),
    [
        ("real_and_file", "also connected to 127.0.0.1:{port} (connection warehouse): neither compared nor restored"),
        (
            "real",
            "not applicable: the run for 2026-03-01 writes nothing that is compared: 127.0.0.1:{port} (connection",
        ),
    ],
)
def test_what_is_allowed_is_named_in_the_verdict(
    case: Copy, dag_id: str, told: str, embedded_server: PostgresServer
) -> None:
    """`literal_address` with `allow`: the rows are there, nobody compares them, and the verdict says so."""
    database = unique_name("mine")
    embedded_server.create_database(database)
    try:
        with embedded_server.connect(database) as connection:
            connection.execute("CREATE TABLE mine (day text)")
        folder = case("literal_address")
        path, (host, port) = folder.root / "pyproject.toml", (embedded_server.host, embedded_server.port)
        url = embedded_server.url(database)
        text = path.read_text().replace("postgresql://postgres@127.0.0.1:55432/postgres", url)
        path.write_text(text + f'allow = ["{host}:{port}"]\n')
        ended = proved(folder, "rerun", dag_id=dag_id)
        assert told.format(port=port) in ended.out, ended.out
        assert ended.status == (0 if dag_id == "real_and_file" else 2)
    finally:
        embedded_server.drop_database(database)


@pytest.mark.parametrize("dag_id", ["s3_bad", "s3_and_row"])
def test_what_a_service_keeps_is_never_proven(case: Copy, dag_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`objects`: not applicable where there is nothing else, and named where there is."""
    pytest.importorskip("airflow.providers.amazon")
    pytest.importorskip("moto")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    ended = proved(case("objects"), "effect", "rerun", dag_id=dag_id)
    if dag_id == "s3_bad":
        assert ended.status == 2
        assert "writes nothing that is compared: service s3 (world.services)" in ended.out
    else:
        assert ended.status == 0
        assert "also connected to service s3: neither compared nor restored (world.services)" in ended.out


ALLOWED = Path("/tmp/dagproof-cases")
CONFIG = f"""\
[tool.dagproof]
dags = "dags"
[tool.dagproof.world]
services = {{ desk = "python -m http.server --bind 127.0.0.1 {{port}}" }}
env = {{ OUT = "{{files}}", DESK = "{{desk}}" }}
allow = ["{ALLOWED}"]
"""
CALL = "urllib.request.urlopen('http://' + os.environ['DESK'], timeout=9)"
BY_SHELL = "subprocess.run({!r}, shell=True, executable='/bin/bash', check={})"
SPOKE = "also connected to service desk: neither compared nor restored (world.services)"
WROTE = f"also wrote files below {ALLOWED}: neither compared nor restored (world.allow)"
EMPTIED = "not compared, since it is emptied before each run: the folder for temporary files"
#: What a task does, the outcome of `rerun`, and what the verdict says besides.
BESIDE: dict[str, tuple[str, str, str]] = {
    "service_alone": (CALL, "not-applicable", "writes nothing that is compared: service desk (world.services)"),
    "service": (f"{ROW}\n{CALL}", "proven", SPOKE),
    "service_by_shell": (f"{ROW}\n" + BY_SHELL.format("curl -s http://$DESK/", True), "proven", SPOKE),
    "allowed": (f"{ROW}\nopen('{ALLOWED}/x', 'a').write(ds)", "proven", WROTE),
    "allowed_by_shell": (f"{ROW}\n" + BY_SHELL.format(f"echo x >> {ALLOWED}/x", True), "proven", WROTE),
    "allowed_alone": (f"open('{ALLOWED}/x', 'a').write(ds)", "not-applicable", f"files below {ALLOWED} (world.allow)"),
    "nothing_beside": (f"{ROW}\nos.kill(os.getpid(), 0)", "proven", ""),
    "reads_outside": (f"{ROW}\nopen('/etc/hosts').read(); open('/dev/null', 'w').close()", "proven", ""),
    "cache_at_home": (
        f"{ROW}\n(Path.home() / '.cache').mkdir(exist_ok=True)\nopen(Path.home() / '.cache/x', 'a').write('x')",
        "proven",
        "not compared, since it is a cache or a history: ~/.cache",
    ),
    "file_at_home": ("open(Path.home() / '.report', 'a').write('x')", "falsified", "~/.report"),
    "home_by_shell": (BY_SHELL.format("echo x >> ~/report", True), "falsified", "~/report"),
    "same_at_home": ("(Path.home() / 'report').write_text(ds)", "proven", ""),
    "temporary_left": (f"{ROW}\nopen(os.path.join(os.environ['TMPDIR'], 'left'), 'a').write('x')", "proven", EMPTIED),
    "temporary_asked": (
        "import tempfile\nmark = Path(tempfile.gettempdir(), 'mark')\n"
        "(Path(os.environ['OUT']) / ds).write_text(str(mark.exists()))\nmark.touch()",
        "proven",
        EMPTIED,
    ),
    "temporary_removed": (
        f"{ROW}\nimport tempfile\nwith tempfile.NamedTemporaryFile() as file: file.write(b'x')",
        "proven",
        "",
    ),
    "shared_memory_left": (
        f"{ROW}\nopen(f'/dev/shm/dagproof-cases-{{os.getpid()}}', 'w').write(ds)",
        "proven",
        "not compared, since it is removed after each run: shared memory in /dev/shm",
    ),
    "locks": (f"{ROW}\nimport multiprocessing\nmultiprocessing.Lock().acquire()", "proven", ""),
    "swallowed": (
        f"{ROW}\ntry:\n    socket.create_connection(('192.0.2.7', 443), 3)\nexcept OSError:\n    pass",
        "proven",
        "the run tried to connect to 192.0.2.7:443, which is not part of its world; map it to {postgres} or to a "
        "service in [tool.dagproof.world], or list 192.0.2.7:443 under allow (refused; the run went on)",
    ),
    "swallowed_metric": (
        f"{ROW}\ntry:\n    socket.socket(type=socket.SOCK_DGRAM).sendto(b'x:1|c', ('192.0.2.7', 8125))\n"
        "except OSError:\n    pass",
        "proven",
        "the run tried to connect to 192.0.2.7:8125",
    ),
    "swallowed_by_shell": (
        f"{ROW}\n" + BY_SHELL.format("echo x > /dev/udp/192.0.2.7/8125 || true", False),
        "proven",
        "` tried to connect to 192.0.2.7:8125, which is not part of its world",
    ),
    "swallowed_write": (
        f"{ROW}\n" + BY_SHELL.format("touch /etc/hosts; true", False),
        "proven",
        "the run's `touch /etc/hosts` tried to write /etc/hosts, which is outside its world",
    ),
    "failed_by_shell": (
        BY_SHELL.format("curl -s http://warehouse.example.org/", True),
        "error",
        "the run's `curl -s http://warehouse.example.org/` asked the name server",
    ),
    "airflow_home": ("open(Path(os.environ['AIRFLOW_HOME'], 'x'), 'a')", "error", "the run tried to write /"),
    "beside_files": ("open(Path(os.environ['OUT'], '..', 'x'), 'a')", "error", "the run tried to write /"),
    "temporary_of_all": ("open('/var/tmp/dagproof-cases', 'a')", "error", "the run tried to write /var/tmp/dagproof"),
}


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A driver for a DAG of each kind."""
    root = tmp_path_factory.mktemp("beside")
    (root / "dags").mkdir()
    for name, (body, _, _) in BESIDE.items():
        lines = "\n".join(f"        {line}" for line in body.splitlines())
        (root / "dags" / f"{name}.py").write_text(HEAD.format(name=name, body=lines))
    (root / "pyproject.toml").write_text(CONFIG)
    ALLOWED.mkdir(exist_ok=True)
    try:
        with open_driver(load_config(root)) as opened:
            yield opened
    finally:
        shutil.rmtree(ALLOWED)


@pytest.mark.parametrize("name", BESIDE)
def test_what_a_run_does_beside_its_data_is_said(name: str, driver: Driver) -> None:
    """Compared, named, or refused; and where there is nothing to say, nothing is said."""
    _, outcome, told = BESIDE[name]
    lab = driver.lab(name, ["2026-03-01"])
    verdict = Prover(lab, seed=0, max_histories=1).prove(law_named("rerun"))
    said = "\n".join([*sentences(verdict.left_out), str(verdict.reason), str(verdict.diff and verdict.diff.to_json())])
    assert verdict.outcome == outcome, said
    assert told in said
    if not told:
        assert {entry.what for entry in verdict.left_out} <= {"random histories"}
    assert [entry for entry in os.listdir("/dev/shm") if entry.startswith("dagproof-cases")] == []


def test_a_swallowed_refusal_ends_the_failed_run(case: Copy) -> None:
    """`refusal_swallowed`: the library's words, then the sentence with host, port and setting."""
    ended = proved(case("refusal_swallowed"), "rerun", dag_id="swallowed")
    assert ended.status == 2
    assert (
        "RuntimeError: 250001: could not connect to the backend; the run tried to connect to 192.0.2.7:443, which is "
        "not part of its world; map it to {postgres} or to a service in [tool.dagproof.world], or list 192.0.2.7:443 "
        "under allow\n" in ended.out
    )
