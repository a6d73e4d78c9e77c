"""Faults at a real server: what is lost, what is not, and what a reader sees afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from typing import Any

import psycopg
import pytest

from dagproof.errors import UsageError
from dagproof.postgres.wire import Fault, Hold, Proxy, fault_points

from .conftest import Place

OLD = [(n, "old") for n in range(1, 11)]
NEW = [(n, "new") for n in range(1, 11)]


@pytest.fixture(autouse=True)
def users(place: Place) -> None:
    with psycopg.connect(place.direct) as connection:
        connection.execute("CREATE TABLE users (id int, name text)")


def restore(place: Place) -> None:
    with psycopg.connect(place.direct) as connection:
        connection.execute("TRUNCATE users")
        connection.cursor().executemany("INSERT INTO users VALUES (%s, %s)", OLD)


def rows(place: Place) -> list[tuple[Any, ...]]:
    return place.query("SELECT id, name FROM users ORDER BY id")


def load_singly(url: str) -> None:
    """Delete, then insert, each committed at once."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("DELETE FROM users")
        for row in NEW:
            connection.execute("INSERT INTO users VALUES (%s, %s)", row)


def load_in_one_transaction(url: str) -> None:
    """Delete and COPY, all or nothing."""
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM users")
        with connection.cursor().copy("COPY users FROM STDIN") as copy:
            for row in NEW:
                copy.write_row(row)


def what_cuts_leave(place: Place, load) -> list[tuple[tuple[int, str], list[tuple[Any, ...]]]]:
    """The rows after a cut at each point worth trying; the load has to notice each."""
    watch = place.proxy.watch()
    restore(place)
    load(place.url)
    points = fault_points(watch.messages, longest=100).points
    left = []
    for at, when in points:
        restore(place)
        place.proxy.clear()
        planned = place.proxy.plan(Fault(at=at, when=when))
        with pytest.raises(psycopg.OperationalError):
            load(place.url)
        assert planned.wait_done(5)
        left.append(((at, when), rows(place)))
    return left


def test_cuts_find_each_half_written_state_of_an_autocommit_load(place: Place) -> None:
    """Nothing, one row, two, … nine: ten states that a reader should never see."""
    found = [state for _, state in what_cuts_leave(place, load_singly)]
    half_written = [NEW[:n] for n in range(10)]
    assert [state for state in half_written if state not in found] == []
    assert [state for state in found if state not in [OLD, NEW, *half_written]] == []


def test_cuts_find_no_half_written_state_of_a_transactional_load(place: Place) -> None:
    """All of the old, or all of the new: the new only when the COMMIT's reply was lost."""
    found = what_cuts_leave(place, load_in_one_transaction)
    assert [state for _, state in found if state not in (OLD, NEW)] == []
    assert [point for point, state in found if state == NEW] == [found[-1][0]]
    assert found[-1][0][1] == "after"


def test_a_lost_reply_to_commit_leaves_the_rows_and_an_error(place: Place) -> None:
    """The commit that happened and was never heard of; before it, nothing has happened."""
    watch = place.proxy.watch()
    load_in_one_transaction(place.url)
    commit = next(message.index for message in watch.messages if message.text == "COMMIT")
    for when, expected in (("after", NEW), ("before", OLD)):
        restore(place)
        place.proxy.clear()
        place.proxy.plan(Fault(at=commit, when=when))
        with pytest.raises(psycopg.OperationalError):
            load_in_one_transaction(place.url)
        assert rows(place) == expected


def test_a_cut_in_the_midst_of_a_copy_leaves_nothing(place: Place) -> None:
    """Also in autocommit; before the first, a middle and the last CopyData, and before CopyDone. After it, all."""
    restore(place)

    def load() -> None:
        with (
            psycopg.connect(place.url, autocommit=True) as connection,
            connection.cursor().copy("COPY users FROM STDIN") as copy,
        ):
            for _ in range(5):
                copy.write(b"7\tcopied\n" * 20_000)

    watch = place.proxy.watch()
    load()
    assert len(rows(place)) == 100_010
    data = [message.index for message in watch.messages if message.kind == "CopyData"]
    done = next(message.index for message in watch.messages if message.kind == "CopyDone")
    assert len(data) >= 5
    for at, when, left in [
        (data[0], "before", 10),
        (data[2], "after", 10),
        (data[-1], "before", 10),
        (done, "before", 10),
        (done, "after", 100_010),
    ]:
        restore(place)
        place.proxy.clear()
        place.proxy.plan(Fault(at=at, when=when))
        with pytest.raises(psycopg.OperationalError):
            load()
        assert len(rows(place)) == left


def test_after_an_execute_is_before_its_sync(place: Place) -> None:
    """A pipeline's statements were done, and are rolled back; once its Sync was there they are not."""

    def load() -> None:
        with psycopg.connect(place.url, autocommit=True) as connection, connection.pipeline():
            for row in NEW[:3]:
                connection.execute("INSERT INTO users VALUES (%s, %s)", row)

    watch = place.proxy.watch()
    load()
    executes = [message.index for message in watch.messages if message.kind == "Execute"]
    sync = next(message.index for message in watch.messages if message.kind == "Sync")
    restore(place)
    for at, expected in [(executes[0], OLD), (executes[-1], OLD), (sync, sorted(OLD + NEW[:3]))]:
        place.proxy.clear()
        planned = place.proxy.plan(Fault(at=at, when="after"))
        with pytest.raises(psycopg.OperationalError):
            load()
        assert planned.reached
        assert sorted(rows(place)) == sorted(expected)


CHILD = textwrap.dedent("""
    import sys, psycopg
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        for n in range(5):
            connection.execute("INSERT INTO users VALUES (%s, 'child')", [n])
        print("survived")
""")


@pytest.mark.parametrize(("when", "left"), [("before", 2), ("after", 3)])
def test_a_client_is_killed_at_a_message(place: Place, when: str, left: int) -> None:
    """The callback kills it with the connection held, and says that the message is lost with it."""
    watch = place.proxy.watch()
    subprocess.run([sys.executable, "-c", CHILD, place.url], check=True, capture_output=True)
    inserts = [message.index for message in watch.messages if message.kind == "Sync"]
    with psycopg.connect(place.direct) as connection:
        connection.execute("TRUNCATE users")
    place.proxy.clear()
    started = threading.Event()
    child: list[subprocess.Popen[bytes]] = []

    def kill() -> str:
        started.wait(10)
        os.kill(child[0].pid, signal.SIGKILL)
        child[0].wait()
        return "cut"

    at = inserts[2] - (4 if when == "before" else 0)  # its Parse, or its Sync
    place.proxy.plan(Fault(at=at, when=when, action="call", callback=kill))
    child.append(subprocess.Popen([sys.executable, "-c", CHILD, place.url], stdout=subprocess.PIPE))
    started.set()
    output, _ = child[0].communicate(timeout=30)
    assert (child[0].returncode, output) == (-signal.SIGKILL, b"")
    assert len(rows(place)) == left


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_callback_that_returns_nothing_lets_the_message_pass(place: Place, when: str) -> None:
    """It was called once, with the connection held; the client notices nothing but the time."""
    seen: list[int] = []
    restore(place)
    called = place.proxy.plan(Fault(at=1, when=when, action="call", callback=lambda: seen.append(len(rows(place)))))
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute("DELETE FROM users WHERE id > 4")
    assert called.wait_done(5)
    assert called.passed
    assert seen == [10 if when == "before" else 4]
    assert len(rows(place)) == 4


def test_a_callback_that_raises_lets_the_message_pass(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is reported as any other of a thread, and nobody waits for ever."""
    reported: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(args.exc_type))
    called = place.proxy.plan(Fault(at=1, action="call", callback=lambda: str(1 // 0)))
    with psycopg.connect(place.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert called.wait_done(5)
    assert reported == [ZeroDivisionError]


def test_two_lanes_are_told_apart_and_interleaved(place: Place) -> None:
    """One is held before its COMMIT while the other does all of its work; each counts its own messages."""
    errors: list[BaseException] = []

    def work(lane: str) -> None:
        try:
            with psycopg.connect(place.through(lane)) as connection:
                count = connection.execute("SELECT count(*) FROM users").fetchone()
                assert count
                connection.execute("INSERT INTO users VALUES (%s, %s)", [count[0], lane])
        except BaseException as error:
            errors.append(error)

    a, b = place.proxy.lane("a"), place.proxy.lane("b")
    watches = a.watch(), b.watch()
    work("a")
    work("b")
    assert [message.text for message in watches[0].messages] == [message.text for message in watches[1].messages]
    commit = next(message.index for message in watches[0].messages if message.text == "COMMIT")
    place.proxy.clear()
    with psycopg.connect(place.direct) as connection:
        connection.execute("TRUNCATE users")
    held = a.plan(Hold(at=commit))
    first = threading.Thread(target=work, args=["a"])
    first.start()
    assert held.wait_reached(10)
    work("b")
    assert rows(place) == [(0, "b")]
    assert not held.passed
    held.release()
    first.join(10)
    assert held.wait_done(5)
    assert held.passed
    assert errors == []
    assert rows(place) == [(0, "a"), (0, "b")] or rows(place) == [(0, "b"), (0, "a")]


def test_a_hold_that_is_cut_loses_the_message(place: Place) -> None:
    """As a fault would; a second connection of the lane goes on meanwhile."""
    restore(place)
    held = place.proxy.plan(Hold(at=1))
    lost: list[BaseException] = []

    def work() -> None:
        try:
            with psycopg.connect(place.url, autocommit=True) as connection:
                connection.execute("DELETE FROM users")
        except psycopg.OperationalError as error:
            lost.append(error)

    first = threading.Thread(target=work)
    first.start()
    assert held.wait_reached(10)
    with psycopg.connect(place.url) as other:
        assert other.execute("SELECT count(*) FROM users").fetchone() == (10,)
    held.cut()
    first.join(10)
    assert len(lost) == 1
    assert rows(place) == OLD


def test_clear_lets_go_on_who_is_held(place: Place) -> None:
    """A run that is over leaves no plan behind."""
    held = place.proxy.plan(Hold(at=1))
    never = place.proxy.plan(Fault(at=3))
    first = threading.Thread(target=load_singly, args=[place.url])
    first.start()
    assert held.wait_reached(10)
    place.proxy.clear()
    first.join(10)
    assert rows(place) == NEW
    assert not never.reached


def test_cut_all_ends_every_session(place: Place) -> None:
    """When it has settled the server knows nothing of them, and what they did not commit is rolled back."""
    restore(place)
    connections = [psycopg.connect(place.url) for _ in range(5)]
    for n, connection in enumerate(connections):
        connection.execute("DELETE FROM users WHERE id = %s", [n + 1])
    place.proxy.cut_all()
    assert rows(place) == OLD
    assert place.sessions() == 0
    for connection in connections:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_a_plan_may_be_for_one_database_only(place: Place) -> None:
    """What goes to another is neither counted nor cut."""
    elsewhere = place.server.url("postgres", host="127.0.0.1", port=place.proxy.port)
    watch = place.proxy.watch(place.database)
    planned = place.proxy.plan(Fault(at=2, database=place.database))
    with psycopg.connect(elsewhere, autocommit=True) as other, psycopg.connect(place.url, autocommit=True) as mine:
        for _ in range(3):
            other.execute("SELECT 1")
        mine.execute("SELECT 1")
        assert [message.database for message in watch.messages] == [place.database]
        with pytest.raises(psycopg.OperationalError):
            mine.execute("SELECT 2")
        other.execute("SELECT 1")
    assert planned.message
    assert planned.message.text == "SELECT 2"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda: Fault(at=0), id="message 0"),
        pytest.param(lambda: Fault(at=1, when="befor"), id="no such moment"),
        pytest.param(lambda: Fault(at=1, action="cutt"), id="no such action"),
        pytest.param(lambda: Fault(at=1, action="call"), id="no callback"),
        pytest.param(lambda: Hold(at=-1), id="a hold at message -1"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused(wrong) -> None:
    """When it is written down, and with the nearest that can."""
    with pytest.raises(UsageError, match="counted from 1|did you mean '(before|cut)'|callback"):
        wrong()


def test_a_proxy_can_be_for_one_database_only(place: Place) -> None:
    """Another database of the server is refused in words, on each lane; the one that is meant works."""
    with psycopg.connect(place.url.replace(f"/{place.database}", "/postgres")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("postgres",)
    with Proxy(place.server.host, place.server.port, only=[place.database]) as proxy:
        for lane in ("main", "other"):
            url = place.server.url(place.database, host="127.0.0.1", port=proxy.lane(lane).port)
            with pytest.raises(psycopg.OperationalError, match="database 'postgres' is not part of this world"):
                psycopg.connect(url.replace(f"/{place.database}", "/postgres"))
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT current_database()").fetchone() == (place.database,)
