"""A database with the warehouse's tables for each test, and an Airflow that runs its DAGs."""

from __future__ import annotations

import email.message
import json
import mailbox
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import pytest
from pytest_postgresql import factories

from dagproof.postgres.server import unique_name
from etl.storage import Storage, open_storage
from tests.support.object_store import ObjectStore, object_store

ROOT = Path(__file__).parents[3]
SQL = ROOT / "etl" / "sql"
FORGOTTEN = (
    "AIRFLOW",
    "ARCHIVE_",
    "DATA_",
    "DEADLINE_",
    "LAKE_",
    "LOGS_",
    "MODEL_",
    "SHOP_",
    "TRANSACTIONS_",
    "USERS_",
    "WAREHOUSE_",
)
"""What the environment of an Airflow of ours must not have from somebody else."""

warehouse_server = factories.postgresql_noproc(depends_on="postgres_server", dbname="warehouse")
postgresql = factories.postgresql("warehouse_server")


@pytest.fixture
def warehouse(postgres_server: object, postgresql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection to an empty database with the warehouse's tables; each statement commits."""
    postgresql.autocommit = True
    for name in ("schema.sql", "shop.sql", "transactions.sql"):
        postgresql.execute((SQL / name).read_bytes())
    return postgresql


class Mailbox:
    """A mail server in a process of its own; what it is sent ends up in a folder."""

    def __init__(self, folder: Path) -> None:
        self._box = folder / "mail"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        program = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen([*program, "-c", "aiosmtpd.handlers.Mailbox", str(self._box)])
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def env(self) -> dict[str, str]:
        """Return what makes Airflow send its mail here."""
        extra = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True, "retry_limit": 1}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": self.port, "extra": extra}
        return {"AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection), "AIRFLOW_VAR_ALERT_EMAIL": "data@example.org"}

    def texts(self) -> list[str]:
        """Return the e-mails that have come: recipient, subject and text of each."""
        mails = [(mail["To"], mail["Subject"], body(mail)) for mail in mailbox.Maildir(self._box)]
        return sorted(" | ".join(mail) for mail in mails)

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=10)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def body(mail: email.message.Message) -> str:
    """Return the text of an e-mail, of all its parts."""
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    return "".join(part.decode() for part in parts if isinstance(part, bytes))


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server."""
    server = Mailbox(tmp_path)
    yield server
    server.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A server that speaks S3."""
    with object_store(tmp_path_factory.mktemp("s3") / "s3") as running:
        yield running


@pytest.fixture
def bucket(s3: ObjectStore) -> tuple[Storage, dict[str, str]]:
    """An empty storage in a bucket, and what makes Airflow know its credentials."""
    extra = {"endpoint_url": s3.endpoint}
    connection = {"conn_type": "aws", "login": s3.credentials.key, "password": s3.credentials.secret, "extra": extra}
    url = s3.make_bucket(f"bucket-{secrets.token_hex(6)}") + "/deep/down"
    return open_storage(url, s3.credentials), {"AIRFLOW_CONN_MINIO_DEFAULT": json.dumps(connection)}


@pytest.fixture
def kept(
    warehouse: psycopg.Connection[Any],
    postgres_default: str,
    mail: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> tuple[Storage, dict[str, str]]:
    """An empty storage, in a folder or where a test's parameter says; and what makes Airflow know all there is."""
    storage: Storage = open_storage(str(tmp_path / "data"))
    who: dict[str, str] = {}
    if getattr(request, "param", "folder") == "bucket":
        storage, who = request.getfixturevalue("bucket")
    database = psycopg.conninfo.make_conninfo(warehouse.info.dsn, password=warehouse.info.password)
    return storage, {"AIRFLOW_CONN_POSTGRES_DEFAULT": postgres_default, "DATABASE": database, **mail.env()} | who


@pytest.fixture(scope="session")
def image(docker_engine: None) -> Iterator[str]:
    """The image that `stack/etl.Dockerfile` makes; its layers stay with the engine, its name goes."""
    name = unique_name("etl")
    told = {"PYTHON_IMAGE": os.environ.get("DAGPROOF_PYTHON_IMAGE") or "python:3.12-slim-bookworm"}
    told |= {index: os.environ.get(index, "") for index in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")}
    arguments = [word for pair in told.items() for word in ("--build-arg", "=".join(pair))]
    network = os.environ.get("DAGPROOF_BUILD_NETWORK", "default")
    command = ["docker", "build", "--network", network, *arguments, "-f", "stack/etl.Dockerfile", "-t", name, "."]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    yield name
    subprocess.run(["docker", "rmi", "--no-prune", name], capture_output=True, check=True)


@pytest.fixture
def postgres_default(warehouse: psycopg.Connection[Any]) -> str:
    """The connection to this test's database, as Airflow reads it from the environment."""
    info = warehouse.info
    parts = {"host": info.host, "port": info.port, "login": info.user, "password": info.password}
    extra = {"application_name": "warehouse"}
    return json.dumps({"conn_type": "postgres", **parts, "schema": info.dbname, "extra": extra})


class Airflow:
    """A process that runs DAGs with `dag.test()`; see `dag_runner.py` for what it can be asked."""

    def __init__(self, home: Path) -> None:
        self.log = home / "log.txt"
        self._mark = 0
        env = {name: value for name, value in os.environ.items() if not name.startswith(FORGOTTEN)}
        env |= {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "PYTHONPATH": str(ROOT),
            "TZ": "UTC",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("dag_runner.py"))],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._answer() == "ready\n", self.log.read_text()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Run a DAG and return what happened; an EOFError if the process did not survive it."""
        assert self.process.stdin
        self._mark = self.log.stat().st_size
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._answer())
        return answer

    def printed(self) -> str:
        """Return what the last run logged."""
        return self.log.read_bytes()[self._mark :].decode()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answer(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(timeout=10)
            if self.process.returncode == -9:
                raise EOFError
            raise AssertionError(self.log.read_text())
        return line


@pytest.fixture(scope="session")
def start_airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Airflow]]:
    """Start Airflow processes, and end them after the tests."""
    started: list[Airflow] = []

    def start() -> Airflow:
        started.append(Airflow(tmp_path_factory.mktemp("airflow")))
        return started[-1]

    yield start
    for airflow in started:
        airflow.close()


@pytest.fixture(scope="session")
def airflow(start_airflow: Callable[[], Airflow]) -> Airflow:
    """An Airflow process that the tests share: starting one takes several seconds."""
    return start_airflow()
