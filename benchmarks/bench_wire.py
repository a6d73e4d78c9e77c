"""What the wire proxy costs: a client directly at the server, through the proxy, and through it with a watch on.

    python benchmarks/bench_wire.py [--rounds 5] [--rows 220000]

The client is a process of its own, as a DAG's is; the three ways take turns. Last, how many fault points a second are
tried: a load of delete and ten inserts, each committed at once, is cut at each point in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psycopg
from rich.console import Console
from rich.table import Table

from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.postgres.servers import start_server
from dagproof.postgres.wire import Fault, Proxy, fault_points

CLIENT = """
import sys, time, psycopg

def copy_in(connection, rows):
    lines = b"".join(b"%d\\tuser %d\\t2026-01-01\\t%d.25\\n" % (n, n, n) for n in range(rows))
    started = time.perf_counter()
    with connection.cursor().copy("COPY big FROM STDIN") as copy:
        for start in range(0, len(lines), 65536):
            copy.write(lines[start:start + 65536])
    seconds = time.perf_counter() - started
    connection.rollback()
    return seconds

def copy_out(connection, rows):
    connection.execute("INSERT INTO big SELECT n, 'user ' || n, '2026-01-01', n FROM generate_series(1, %s) n", [rows])
    started = time.perf_counter()
    with connection.cursor().copy("COPY big TO STDOUT") as copy:
        for _ in copy:
            pass
    seconds = time.perf_counter() - started
    connection.rollback()
    return seconds

def trips(connection, rows):
    started = time.perf_counter()
    for _ in range(5000):
        connection.pgconn.exec_(b"SELECT 1")
    return time.perf_counter() - started

with psycopg.connect(sys.argv[1]) as connection:
    for line in sys.stdin:
        print(globals()[line.strip()](connection, int(sys.argv[2])), flush=True)
"""


@contextlib.contextmanager
def client(url: str, rows: int) -> Iterator[Callable[[str], float]]:
    """Yield a function that lets a client process do something, and returns the seconds that it took."""
    command = [sys.executable, "-c", CLIENT, url, str(rows)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(what: str) -> float:
            assert process.stdin and process.stdout  # noqa: PT018 - they are pipes
            process.stdin.write(what + "\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield ask
        assert process.stdin
        process.stdin.close()


def compare(server: PostgresServer, database: str, rounds: int, rows: int) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of each round, by what was done and by which way."""
    seconds: dict[str, dict[str, list[float]]] = {}
    with Proxy(server.host, server.port) as proxy, contextlib.ExitStack() as stack:
        ports = {"direct": server.port, "proxied": proxy.port, "watched": proxy.lane("watched").port}
        urls = {way: server.url(database, host="127.0.0.1", port=port) for way, port in ports.items()}
        asks = {way: stack.enter_context(client(url, rows)) for way, url in urls.items()}
        proxy.lane("watched").watch()
        for _ in range(rounds + 1):
            for what in ("copy_in", "copy_out", "trips"):
                for way, ask in asks.items():
                    before = resource.getrusage(resource.RUSAGE_SELF)
                    taken = ask(what)
                    after = resource.getrusage(resource.RUSAGE_SELF)
                    ours = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                    seconds.setdefault(what, {}).setdefault(way, []).append(taken)
                    seconds[what].setdefault(f"{way}, proxy's CPU", []).append(ours)
    return {what: {way: taken[1:] for way, taken in ways.items()} for what, ways in seconds.items()}


def load(url: str) -> None:
    """Delete and insert, each committed at once."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("DELETE FROM small")
        for n in range(10):
            connection.execute("INSERT INTO small VALUES (%s)", [n])


def fault_rate(server: PostgresServer, database: str) -> tuple[int, int, float]:
    """Return how many points were tried, how many states were found, and the seconds that it took."""
    with Proxy(server.host, server.port) as proxy, psycopg.connect(server.url(database), autocommit=True) as reader:
        url = server.url(database, host="127.0.0.1", port=proxy.port)
        watch = proxy.watch()
        load(url)
        points = fault_points(watch.messages, longest=100).points
        found = set()
        started = time.perf_counter()
        for at, when in points:
            proxy.clear()
            proxy.plan(Fault(at=at, when=when))
            with contextlib.suppress(psycopg.OperationalError):
                load(url)
            assert proxy.settled(5)
            found.add(tuple(reader.execute("SELECT x FROM small ORDER BY x").fetchall()))
        return len(points), len(found), time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=220_000)
    options = parser.parse_args()
    database = unique_name("bench")
    with start_server("embedded") as server:
        server.create_database(database)
        with server.connect(database) as connection:
            connection.execute("CREATE TABLE big (a int, b text, c date, d numeric)")
            connection.execute("CREATE TABLE small (x int)")
        seconds = compare(server, database, options.rounds, options.rows)
        points, states, taken = fault_rate(server, database)
    names = {"copy_in": f"COPY in, {options.rows:,} rows", "copy_out": f"COPY out, {options.rows:,} rows"}
    names["trips"] = "5,000 round trips"
    table = Table(
        "", "direct", "proxied", "watched", "proxied/direct", "proxy's CPU", title="seconds, median (min–max)"
    )
    for what, ways in seconds.items():
        ratio = statistics.median(ways["proxied"]) / statistics.median(ways["direct"])
        shown = [_shown(ways[way]) for way in ("direct", "proxied", "watched")]
        table.add_row(names[what], *shown, f"{ratio:.2f}", _shown(ways["proxied, proxy's CPU"]))
    Console(width=120).print(table)
    print(f"{points} fault points, {states} states found, {points / taken:.0f} points a second")


def _shown(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f}–{max(seconds):.3f})"


if __name__ == "__main__":
    main()
