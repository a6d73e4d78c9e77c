"""Whatever clients and servers do, the proxy keeps its memory, threads and descriptors, and ends when it is told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dagproof.errors import DagproofError
from dagproof.postgres.server import PostgresServer
from dagproof.postgres.wire import Fault, Hold, Proxy, ProxyError
from dagproof.postgres.wire.loop import LoopEndedError
from tests.support.waiting import eventually

from .conftest import Place


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.fixture
def nothing_leaks() -> Iterator[None]:
    """As many threads and descriptors after the test as before."""
    threads, files = threading.active_count(), descriptors()
    yield
    assert eventually(lambda: threading.active_count() <= threads)
    assert eventually(lambda: descriptors() <= files), f"{descriptors()} descriptors, {files} before"


def url(server: PostgresServer, proxy: Proxy) -> str:
    return server.url("postgres", host="127.0.0.1", port=proxy.port)


@pytest.mark.usefixtures("nothing_leaks")
def test_close_ends_everything_within_a_second(postgres_server: PostgresServer) -> None:
    """Working, held, silent, and half-open clients; holds that nobody releases; a callback that does not return."""
    never = threading.Event()
    with contextlib.ExitStack() as stack:
        proxy = Proxy(postgres_server.host, postgres_server.port)
        quiet = stack.enter_context(contextlib.closing(psycopg.connect(url(postgres_server, proxy))))
        stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port)))
        started = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.lane("b").port)))
        started.sendall(b"\0\0")
        held = proxy.plan(Hold(at=1))
        stuck = proxy.plan(Fault(at=2, action="call", callback=lambda: str(never.wait(30))))
        sleeping = proxy.lane("b").plan(Hold(at=2, when="after"))
        errors: list[BaseException] = []

        def work(lane: str, statement: str) -> None:
            try:
                where = postgres_server.url("postgres", host="127.0.0.1", port=proxy.lane(lane).port)
                with psycopg.connect(where, autocommit=True) as connection:
                    connection.execute("SELECT 1")
                    connection.execute(statement)
            except BaseException as error:
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=args)
            for args in [("main", "SELECT 2"), ("main", "SELECT 3"), ("b", "SELECT pg_sleep(3)")]
        ]
        for thread in threads:
            thread.start()
        assert held.wait_reached(10)
        assert stuck.wait_reached(10)
        assert not sleeping.wait_reached(0.3)
        before = time.monotonic()
        proxy.close()
        assert time.monotonic() - before < 1
        for thread in threads:
            thread.join(10)
        assert [type(error) for error in errors] == [psycopg.OperationalError] * 3
        with pytest.raises(psycopg.OperationalError):
            quiet.execute("SELECT 1")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port))
        with pytest.raises(LoopEndedError):
            proxy.watch()
        held.release()
        proxy.close()
        never.set()


@pytest.mark.usefixtures("nothing_leaks")
def test_two_hundred_connections_meet_the_servers_limit(postgres_server: PostgresServer) -> None:
    """What the server says to one too many passes, and all of them end."""
    with Proxy(postgres_server.host, postgres_server.port) as proxy, contextlib.ExitStack() as stack:
        with postgres_server.connect() as connection:
            limit = int(connection.execute("SHOW max_connections").fetchone()[0])  # type: ignore[index]  # one row
        with pytest.raises(psycopg.OperationalError, match="too many clients|reserved for roles"):
            for _ in range(limit + 1):
                stack.enter_context(contextlib.closing(psycopg.connect(url(postgres_server, proxy))))
        assert threading.active_count() < 20
        stack.close()
        assert proxy.empty(20)


@pytest.mark.usefixtures("nothing_leaks")
def test_clients_that_are_killed_leave_nothing(place: Place) -> None:
    """In the midst of a COPY, idle in a transaction, and waiting for an answer."""
    program = """
        import sys, threading, time, psycopg
        def copy():
            with psycopg.connect(sys.argv[1]) as connection, connection.cursor().copy("COPY t FROM STDIN") as copy:
                while True:
                    copy.write(b"1\\n" * 10000)
        def wait():
            psycopg.connect(sys.argv[1]).execute("SELECT pg_sleep(2)")
        idle = psycopg.connect(sys.argv[1])
        idle.execute("INSERT INTO t VALUES (1)")
        for work in (copy, wait):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.5)
        print("working", flush=True)
        time.sleep(60)
    """
    with psycopg.connect(place.direct) as connection:
        connection.execute("CREATE TABLE t (x int)")
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), place.url], stdout=subprocess.PIPE)
    with child:
        assert child.stdout
        assert child.stdout.readline() == b"working\n"
        child.send_signal(signal.SIGKILL)
    assert place.proxy.empty(10)
    assert place.sessions() == 0
    assert place.query("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.usefixtures("nothing_leaks")
def test_a_server_that_refuses_is_the_clients_error(embedded_server: PostgresServer) -> None:
    """In words, again and again; the proxy goes on."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # not listening
        with Proxy("127.0.0.1", nobody.getsockname()[1]) as proxy:
            for _ in range(20):
                with pytest.raises(psycopg.OperationalError, match="cannot reach the server: nobody listens"):
                    psycopg.connect(url(embedded_server, proxy), connect_timeout=5)
            assert proxy.empty(5)


def test_a_name_that_means_several_addresses_is_tried_through(embedded_server: PostgresServer) -> None:
    """A server that listens on 127.0.0.1 is found as localhost, where ::1 comes first on many machines."""
    with (
        Proxy("localhost", embedded_server.port) as proxy,
        psycopg.connect(url(embedded_server, proxy)) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.usefixtures("nothing_leaks")
def test_a_host_that_does_not_exist_is_told_at_once() -> None:
    """When the proxy is made, not when somebody connects."""
    with pytest.raises(ProxyError, match="'nowhere.invalid' cannot be resolved") as caught:
        Proxy("nowhere.invalid", 5432)
    assert isinstance(caught.value, DagproofError)


def test_a_session_that_the_server_ends_is_lost_with_its_last_words(place: Place) -> None:
    """Others go on; so it is when all of the server goes down."""
    with psycopg.connect(place.url) as one, psycopg.connect(place.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [one.info.backend_pid])
        with pytest.raises(psycopg.errors.AdminShutdown):
            one.execute("SELECT 1")
        assert other.execute("SELECT 1").fetchone() == (1,)


def test_a_session_that_ends_while_it_is_held_ends_the_hold(place: Place) -> None:
    """Nobody is left waiting, and a release is no error."""
    held = place.proxy.plan(Hold(at=2))
    with psycopg.connect(place.url, autocommit=True) as one:
        one.execute("SELECT 1")
        pid = one.info.backend_pid
        lost: list[BaseException] = []

        def work() -> None:
            try:
                one.execute("SELECT 2")
            except psycopg.OperationalError as error:
                lost.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        assert held.wait_reached(10)
        with psycopg.connect(place.direct, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        thread.join(10)
    assert len(lost) == 1
    assert held.wait_done(5)
    held.release()
    assert not held.passed


# The proxy runs in this program, the client in another one: what is measured is the proxy's memory alone.
MEASURE = """
    import json, resource, subprocess, sys
    from dagproof.postgres.wire import Hold, Proxy
    host, port, url, client = sys.argv[1:]
    with Proxy(host, int(port)) as proxy:
        watch = proxy.watch()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        address = url.replace("PORT", str(proxy.port))
        said = subprocess.run([sys.executable, "-c", client, address], stdout=subprocess.PIPE, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kinds = [message.kind for message in watch.messages]
        print(json.dumps([int(said), after - before, max(message.size for message in watch.messages)]))
"""
BIG_COPY = """
    import sys, psycopg
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE t (x text)")
        chunk = b"x" * 999 + b"\\n"
        with connection.cursor().copy("COPY t FROM STDIN WHERE false") as copy:
            for _ in range(200):
                copy.write(chunk * 1000)
        print(200_000_000)
"""
ONE_BIG_MESSAGE = """
    import sys, psycopg
    with psycopg.connect(sys.argv[1]) as connection:
        print(connection.execute("SELECT length(%s)", [b"x" * 100_000_000], binary=True).fetchone()[0])
"""
BIG_ANSWER = """
    import sys, psycopg
    with psycopg.connect(sys.argv[1]) as connection:
        print(len(connection.execute("SELECT repeat('x', 100000000)").fetchone()[0]))
"""


@pytest.mark.parametrize(
    ("client", "count"),
    [
        pytest.param(BIG_COPY, 200_000_000, id="200 MB of COPY"),
        pytest.param(ONE_BIG_MESSAGE, 100_000_000, id="a parameter of 100 MB"),
        pytest.param(BIG_ANSWER, 100_000_000, id="a value of 100 MB"),
    ],
)
def test_large_messages_pass_in_flat_memory(embedded_server: PostgresServer, client: str, count: int) -> None:
    """The proxy never holds more than a few chunks of them."""
    server = embedded_server
    where = server.url("postgres", host="127.0.0.1").replace(f":{server.port}/", ":PORT/")
    command = [sys.executable, "-c", textwrap.dedent(MEASURE), server.host, str(server.port), where]
    done = subprocess.run([*command, textwrap.dedent(client)], stdout=subprocess.PIPE, check=True)
    said, kilobytes, largest = json.loads(done.stdout)
    assert said == count
    assert kilobytes < 10_000, f"{kilobytes} kB more for {count} bytes, the largest message had {largest}"


@pytest.mark.usefixtures("nothing_leaks")
def test_what_goes_wrong_in_the_proxy_is_told(embedded_server: PostgresServer) -> None:
    """It ends all connections, tells whoever asks it for something, and at the latest whoever closes it."""
    proxy = Proxy(embedded_server.host, embedded_server.port)
    with contextlib.closing(psycopg.connect(url(embedded_server, proxy))) as connection:
        proxy._loop.post(lambda: print(1 // 0))
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(LoopEndedError, match="ZeroDivisionError") as caught:
        proxy.watch()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(LoopEndedError, match="ZeroDivisionError"):
        proxy.close()


FEW_DESCRIPTORS = """
    import resource, sys, time
    from dagproof.postgres.wire import Proxy
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with Proxy(sys.argv[1], int(sys.argv[2])) as proxy:
        print(proxy.port, flush=True)
        for _ in sys.stdin:
            print(time.process_time(), proxy.connections, flush=True)
"""


def test_a_proxy_out_of_descriptors_goes_on_when_it_has_some_again(embedded_server: PostgresServer) -> None:
    """It neither ends nor spins: it lets nobody in until a connection ends."""
    server = embedded_server
    command = [sys.executable, "-c", textwrap.dedent(FEW_DESCRIPTORS), server.host, str(server.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())

        def state() -> tuple[float, int]:
            assert process.stdin
            assert process.stdout
            process.stdin.write("?\n")
            process.stdin.flush()
            seconds, connections = process.stdout.readline().split()
            return float(seconds), int(connections)

        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            assert eventually(lambda: state()[1] > 40)
            before, _ = state()
            time.sleep(0.5)
            after, connections = state()
            assert connections < 64
            assert after - before < 0.25
        with psycopg.connect(server.url("postgres", host="127.0.0.1", port=port), connect_timeout=10) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        process.stdin.close()


@pytest.mark.usefixtures("nothing_leaks")
def test_a_server_may_be_started_anew(tmp_path: Path) -> None:
    """Clients of the old one get an error, those of the new one work, and the proxy's port stays."""
    from dagproof import reaper
    from dagproof.postgres.embedded import Cluster, _account, _meeting_place, _programs
    from dagproof.postgres.server import free_port

    account = _account()
    with reaper.temporary_directory("dagproof-pg-", _meeting_place(account)) as home:
        cluster, port = Cluster(home, _programs(), account, home), free_port()
        command: list[str | Path] = [cluster.programs / "bin" / "postgres", "-D", cluster.data, "-p", str(port)]
        where = {"host": "127.0.0.1", "user": "postgres", "password": cluster.password, "dbname": "postgres"}
        with Proxy("127.0.0.1", port) as proxy, contextlib.ExitStack() as stack:
            for _ in range(2):
                with cluster._started(command) as process:
                    assert cluster._is_ready(process)
                    connection = psycopg.connect(**where, port=proxy.port)  # type: ignore[arg-type]  # plain strings
                    stack.enter_context(contextlib.closing(connection))
                    connection.execute("SELECT 1")
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT 1")
                with pytest.raises(psycopg.OperationalError, match="nobody listens"):
                    psycopg.connect(**where, port=proxy.port)  # type: ignore[arg-type]  # plain strings
