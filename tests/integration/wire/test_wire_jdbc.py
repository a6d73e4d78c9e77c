"""JDBC works through the proxy, too: Debian's libpostgresql-jdbc-java, or the driver that DAGPROOF_JDBC_JAR names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from dagproof.postgres.wire import Fault, fault_points

from .conftest import Place

JAR = Path(os.environ.get("DAGPROOF_JDBC_JAR", "/usr/share/java/postgresql.jar"))
SOURCE = Path(__file__).with_name("Client.java")

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(
        not shutil.which("javac"), reason="no javac on PATH: install a JDK, default-jdk-headless in Debian"
    ),
    pytest.mark.skipif(
        not JAR.exists(), reason=f"no JDBC driver at {JAR}: install libpostgresql-jdbc-java, or set DAGPROOF_JDBC_JAR"
    ),
]


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    subprocess.run(["javac", "-cp", JAR, "-d", folder, SOURCE], check=True)
    return folder


def work(classes: Path, place: Place) -> subprocess.CompletedProcess[str]:
    address = f"jdbc:postgresql://127.0.0.1:{place.proxy.port}/{place.database}"
    command = ["java", "-cp", f"{JAR}:{classes}", "Client", address, place.server.user, place.server.password]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_jdbc_works_and_is_cut_at_each_point(classes: Path, place: Place) -> None:
    """It gets an error at each, never hangs, and the server has all rows or none of them."""
    watch = place.proxy.watch()
    done = work(classes, place)
    assert (done.stdout, done.returncode) == ("1001\n", 0), done.stderr
    seen = watch.messages
    assert {"Parse", "Bind", "Execute", "Sync", "CopyData", "CopyDone"} <= {message.kind for message in seen}
    assert any("INSERT INTO t VALUES ($1, $2)" in message.text for message in seen)
    states = set()
    for at, when in fault_points(seen).points:
        with psycopg.connect(place.direct) as connection:
            connection.execute("DROP TABLE IF EXISTS t")
        place.proxy.clear()
        planned = place.proxy.plan(Fault(at=at, when=when))
        failed = work(classes, place)
        assert planned.wait_done(5)
        assert failed.returncode == 1
        assert "PSQLException" in failed.stderr
        there = place.query("SELECT to_regclass('t') IS NOT NULL") == [(True,)]
        states.add(place.query("SELECT count(*) FROM t")[0][0] if there else None)
    assert states == {None, 1001}
