"""A proof in several processes says what a proof in one says, and leaves as little behind."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagproof.cli import main
from dagproof.config import parse_config
from dagproof.postgres.server import PostgresServer
from dagproof.proof.jobs import MOST_JOBS, default_jobs
from tests.integration.proofs.conftest import NOTHING, Project
from tests.support.processes import command_lines_of, processes_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

LAWS = tuple(part for law in ("deterministic", "rerun", "late") for part in ("--law", law))


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Project]) -> Project:
    """A project whose DAGs misbehave."""
    return make_project()


def processes_that_prove(project: Project) -> list[int]:
    """The ids of those that share the laws."""
    return [pid for pid, line in command_lines_of(project.temporary).items() if "dagproof.proof.jobs" in line]


def without_times(proof: Any) -> Any:
    """A proof's JSON but for the seconds."""
    return proof | {"verdicts": [verdict | {"seconds": 0} for verdict in proof["verdicts"]]}


@pytest.mark.parametrize("dag_id", ["dag_inserts", "dag_fails"])
def test_the_verdicts_are_those_of_one_process(dag_id: str, project: Project) -> None:
    """In the laws' order, with the same history and diff, whether they hold or not."""
    one, two = (
        project.run("prove", dag_id, "--date", "2026-01-01", *LAWS, "--jobs", jobs, "--output-format", "json")
        for jobs in ("1", "2")
    )
    assert (two.status, two.err) == (one.status, one.err)
    assert without_times(two.json) == without_times(one.json)
    assert eventually(lambda: project.left() == NOTHING), project.left()


def test_laws_share_the_processes(project: Project) -> None:
    """There are as many as were asked for, but no more than laws; one law needs none besides the command's own."""
    process = project.start("prove", "dag_writes", "--jobs", "7", "--law", "effect", "--law", "rerun")
    assert eventually(lambda: len(processes_that_prove(project)) == 2 or process.poll() is not None, 30)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), out
    process = project.start("prove", "dag_writes", "--jobs", "7", "--law", "effect")
    assert not eventually(lambda: bool(processes_that_prove(project)) or process.poll() is not None, 4)
    process.kill()
    process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("dag_id", "sentence"),
    [
        ("dag_apends", r"no DAG 'dag_apends' in .*/misbehaving; did you mean 'dag_appends'\?"),
        (
            "dag_inserts",
            r"tool\.dagproof\.proofs\.dag_inserts\.ignore names 'orders\.dts', which is neither a column nor a file; "
            r"did you mean 'orders\.dt'\?",
        ),
    ],
    ids=["unknown DAG", "ignore that names nothing"],
)
def test_what_cannot_be_told_is_told_once(dag_id: str, sentence: str, project: Project) -> None:
    """By the command, in one sentence, although each of the processes has found it out."""
    project.configure("\n[tool.dagproof.proofs.dag_inserts]\nignore = ['orders.dts']\n")
    try:
        ended = project.run("prove", dag_id, "--date", "2026-01-01", *LAWS, "--jobs", "2")
    finally:
        project.configure()
    assert (ended.status, ended.out) == (2, "")
    assert re.fullmatch(f"dagproof: {sentence}\n", ended.err), ended.err
    assert eventually(lambda: project.left() == NOTHING), project.left()


def test_what_one_process_finds_is_enough(project: Project) -> None:
    """An entry of `ignore` need not name something in all of the laws' worlds."""
    project.configure("\n[tool.dagproof.proofs.dag_inserts]\nignore = ['orders.dt']\n")
    try:
        ended = project.run("prove", "dag_inserts", "--date", "2026-01-01", *LAWS, "--jobs", "2")
    finally:
        project.configure()
    assert (ended.status, ended.err) == (1, ""), ended


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=lambda stop: stop.name)
def test_nothing_is_left_of_several(stop: signal.Signals, project: Project) -> None:
    """Whose runs hang: by Ctrl-C, and by force."""
    process = project.start("prove", "dag_waits", "--law", "effect", "--law", "rerun", "--jobs", "2")
    try:
        hanging = eventually(lambda: sum("sleep 10" in line for line in processes_of(project.temporary)) == 6, 90)
        assert hanging, processes_of(project.temporary)
        if stop == signal.SIGINT:
            os.killpg(process.pid, stop)  # a terminal sends it to all of the foreground
        else:
            process.send_signal(stop)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert eventually(lambda: project.left() == NOTHING), project.left()
    assert "Traceback" not in out + err
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert err == "dagproof: interrupted; everything that was started has been stopped and removed\n"


LOST = """
import sys
import psycopg
from dagproof.proof.jobs import quiet_rollbacks

if {quiet}:
    quiet_rollbacks()
try:
    with psycopg.connect({conninfo!r}) as connection:
        pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        with psycopg.connect({conninfo!r}) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print("dagproof: interrupted", file=sys.stderr)
"""


@pytest.mark.parametrize("quiet", [True, False])
def test_a_connection_that_is_lost_on_the_way_out_is_not_told(quiet: bool, embedded_server: PostgresServer) -> None:
    """Which psycopg does where nobody asks it not to."""
    program = LOST.format(quiet=quiet, conninfo=embedded_server.url("postgres"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert (done.stderr == "dagproof: interrupted\n") == quiet, done
    assert ("error ignored in rollback" in done.stderr) != quiet, done


@pytest.mark.parametrize(
    "command", [["prove", "no_such_dag"], ["replay", "no_such_history"]], ids=lambda words: words[0]
)
def test_the_command_asks_for_that(command: list[str], project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it connects to anything."""
    logger = logging.getLogger("psycopg")
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    monkeypatch.chdir(project.root)
    assert main([*command, "--dags", "nowhere"]) == 2
    assert logger.level == logging.ERROR


def test_a_process_that_is_killed_is_missed(project: Project) -> None:
    """As the system does where memory is short: it is told, and the others end."""
    process = project.start("prove", "dag_waits", "--law", "effect", "--law", "rerun", "--jobs", "2")
    try:
        assert eventually(lambda: len(processes_that_prove(project)) == 2, 30)
        os.kill(processes_that_prove(project)[-1], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (
        2,
        "dagproof: a process of the proof ended unexpectedly, by SIGKILL; if memory is short, use --jobs 1\n",
    )
    assert eventually(lambda: project.left() == NOTHING), project.left()


def test_worlds_that_could_meet_are_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the configuration allows besides the worlds is there for all of them."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert default_jobs(parse_config({}, root=Path())) == MOST_JOBS
    assert default_jobs(parse_config({"world": {"allow": ["/var/lib/shared"]}}, root=Path())) == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_jobs(parse_config({}, root=Path())) == 1
