"""What all tests of this repository share: a PostgreSQL server of each kind."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from pytest_postgresql import factories

from dagproof.postgres.container import engine_problem
from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.postgres.servers import KINDS, start_server
from dagproof.pytest.session import postgres_kind

# A machine that is busy with other things is slow now and then, and that is no fault. In CI the examples are the same
# each time, so that a change is judged by what it changed.
settings.register_profile(
    "dagproof", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("dagproof")

# A shell lets what it starts with `&` ignore SIGINT, and our children inherit that; some tests send it to them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOT_RUN = "not run on testcontainers"
NOT_SEEN = "not run in a browser"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a server on each kind, unless --postgres names one, or one of them is enough."""
    if "postgres_server" in metafunc.fixturenames:
        asked_for = metafunc.config.getoption("--postgres")
        if asked_for:
            kinds = [asked_for if asked_for in KINDS else "url"]
            metafunc.parametrize("postgres_server", kinds, indirect=True, scope="session")
            return
        first, *others = KINDS
        marked = metafunc.definition.get_closest_marker
        later = () if marked("each_server") else (pytest.mark.slow,)
        servers = [first] if marked("one_server") else [first, *(pytest.param(kind, marks=later) for kind in others)]
        metafunc.parametrize("postgres_server", servers, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let all tests that are skipped for want of an engine, or of a browser, share one line of the summary."""
    report = yield
    told = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if NOT_RUN in told or NOT_SEEN in told:
        report.longrepr = (__file__, 1, told)
    return report


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> PostgresServer:
    """A server of the kind that this test is run on."""
    server: PostgresServer = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[PostgresServer]:
    """The embedded server, for the session."""
    with start_server("embedded") as server:
        yield server


@pytest.fixture(scope="session")
def testcontainers_server(docker_engine: None) -> Iterator[PostgresServer]:
    """A server in a container, for the session."""
    with start_server("testcontainers") as server:
        yield server


@pytest.fixture(scope="session")
def url_server(pytestconfig: pytest.Config) -> Iterator[PostgresServer]:
    """The server at the address that --postgres gives."""
    with start_server(postgres_kind(pytestconfig)) as server:
        yield server


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Skip where no Docker engine answers, or fail where DAGPROOF_REQUIRE_DOCKER=1 says that there is one."""
    problem = engine_problem()
    if problem and os.environ.get("DAGPROOF_REQUIRE_DOCKER") == "1":
        pytest.fail(f"DAGPROOF_REQUIRE_DOCKER=1, but {problem}", pytrace=False)
    if problem:
        pytest.skip(f"{NOT_RUN}: {problem}")


# pytest-postgresql's per-test client. Its fixtures look up what they depend on by name, as they run, so pytest would
# not know to set them up anew for each kind: there is one of each instead.
_NAME = unique_name("client")
embedded_noproc = factories.postgresql_noproc(depends_on="embedded_server", dbname=_NAME)
testcontainers_noproc = factories.postgresql_noproc(depends_on="testcontainers_server", dbname=_NAME)
url_noproc = factories.postgresql_noproc(depends_on="url_server", dbname=_NAME)
embedded_client = factories.postgresql("embedded_noproc")
testcontainers_client = factories.postgresql("testcontainers_noproc")
url_client = factories.postgresql("url_noproc")


@pytest.fixture
def postgresql(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> psycopg.Connection:
    """A connection to an empty database of this test's own."""
    client: psycopg.Connection = request.getfixturevalue(f"{postgres_server.kind}_client")
    return client
