"""Which errors are tried at which points: each place that code may guard once, and no state of the world twice."""

from __future__ import annotations

from dagproof.histories.outages import ALWAYS, OUTAGES
from dagproof.runs.erring import Attempt, attempts, between
from dagproof.runs.points import Point

BEGIN = Point("message", 1, "BEGIN", "load")
READ = Point("message", 2, "SELECT * FROM a", "load")
WRITE = Point("message", 3, "INSERT INTO b SELECT 1", "load")
COMMIT = Point("message", 4, "COMMIT", "load")
REPLY = Point("reply", 4, "COMMIT", "load")
CONNECT = Point("connect", 1, "connect to PostgreSQL", "load")


def told(*points: Point, all_errors: bool = False) -> list[str]:
    """Return the attempts, as a step shows them."""
    return [
        f"{one.error} at {one.point.name}{', always' if one.lasts else ''}"
        for one in attempts(points, all_errors=all_errors)
    ]


def test_a_transaction_meets_an_error_at_each_statement_that_matters() -> None:
    """Of the kind that is usual there; a server that is gone is gone wherever a task was."""
    assert told(CONNECT, BEGIN, READ, WRITE, COMMIT, REPLY) == [
        "connection refused at connect 1",
        "connection refused at connect 1, always",
        "statement cancelled at message 2",
        "connection lost at message 2, always",
        "deadlock at message 3",
        "serialization failure at message 4",
        "connection lost at reply 4",
    ]


def test_where_no_connection_is_seen_it_is_lost_at_the_first_statement() -> None:
    """And again after each commit, which leaves another state."""
    later = Point("message", 5, "UPDATE c SET d = 1", "load")
    lasting = [one.point.name for one in attempts([BEGIN, READ, WRITE, COMMIT, REPLY, later]) if one.lasts]
    assert lasting == ["message 2", "message 5"]


def test_a_transaction_that_writes_nothing_loses_nothing_at_its_commit() -> None:
    """Neither before it, nor with its reply."""
    assert told(READ, COMMIT, REPLY) == [
        "statement cancelled at message 2",
        "connection lost at message 2, always",
    ]


def test_a_query_that_writes_is_no_read() -> None:
    """WITH and SELECT may do so."""
    for text in ("WITH x AS (DELETE FROM a RETURNING *) SELECT 1", "SELECT 1 INTO a", "/* SELECT */ COPY a FROM 'x'"):
        assert told(Point("message", 1, text, "load"))[0] == "deadlock at message 1"


def test_a_copy_meets_its_error_at_its_end() -> None:
    """There, what was sent is gone as it is before."""
    texts = ("COPY a FROM STDIN", "CopyData of COPY a FROM STDIN", "CopyDone of COPY a FROM STDIN")
    points = [Point("message", n, text, "load") for n, text in enumerate(texts, start=1)]
    assert [one.point.name for one in attempts(points) if not one.lasts] == ["message 3"]


def test_a_message_is_what_its_strongest_statement_is() -> None:
    """However it begins; what stands in quotes is no statement."""
    for text, error in {
        "SET LOCAL x = 1; DELETE FROM a; INSERT INTO a SELECT 1": "deadlock",
        "BEGIN; DELETE FROM a; COMMIT": "deadlock",
        "SET x = 1; SELECT 'a; DELETE FROM a'": "statement cancelled",
        "START TRANSACTION; /* load */ TRUNCATE a": "deadlock",
        "SET x = 1; -- load DELETE FROM a": "deadlock",
    }.items():
        assert told(Point("message", 1, text, "load"))[0] == f"{error} at message 1", text
    for text in ("SET a = 'b;c'; SET d = 1;", "BEGIN; SET x = 'DELETE FROM a'", "DISCARD ALL"):
        assert told(Point("message", 1, text, "load")) == [], text


def test_a_function_that_nobody_knows_writes() -> None:
    """Its COMMIT can lose what it has written; that of PostgreSQL's own functions can lose nothing."""
    for text in ("SELECT load('a')", 'SELECT * FROM "etl"."load" (1)', "SELECT count(*), etl.load() FROM a"):
        assert "serialization failure at message 4" in told(Point("message", 1, text, "load"), COMMIT), text
    for text in (
        "SELECT count(*), pg_catalog.pg_relation_size('a') FROM a WHERE b IN (SELECT max(b) FROM a) AND (c)",
        "WITH t AS (SELECT 'load()' AS a) SELECT CAST(a AS varchar(3)) FROM t AS u (a)",
        "VALUES (1), (2)",
    ):
        assert told(Point("message", 1, text, "load"), COMMIT)[0] == "statement cancelled at message 1", text
        assert "serialization failure at message 4" not in told(Point("message", 1, text, "load"), COMMIT), text


def test_the_rest_of_a_long_message_may_write() -> None:
    """Its text is cut; what has been sent of a COPY stays what it is."""
    for text, error in {"SELECT a FROM b WHERE…": "statement cancelled", "SET a = 1; SET b = 2…": "deadlock"}.items():
        found = told(Point("message", 1, text, "load"), COMMIT)
        assert (found[0], found[-1]) == (f"{error} at message 1", "serialization failure at message 4"), text
    assert told(Point("message", 1, "CopyData of COPY a FROM STDIN WITH (…", "load"), COMMIT) == []


def test_the_same_is_read_first_and_last_in_a_task() -> None:
    """The code around those between is passed over, and that is noted. What is written may differ each time."""
    reads = [Point("message", n, "SELECT 1", task) for n, task in enumerate(("a", "a", "a", "a", "b"), start=1)]
    writes = [Point("message", n, "INSERT INTO a VALUES (1)", "a") for n in (6, 7, 8)]
    points = [*reads, *writes]
    assert [one.point.number for one in attempts(points) if not one.lasts] == [1, 4, 5, 6, 7, 8]
    assert between(points) == reads[1:3]


def test_what_lasts_is_tried_for_each_part_that_can_be_gone() -> None:
    """The code around a connection, a statement and a file is not the same."""
    reads = [Point("read", n, f"read {name}.csv", "load") for n, name in enumerate("aba", start=1)]
    poke = Point("poke", 1, "a poke of load", "load")
    lasting = [one.point.name for one in attempts([CONNECT, *reads, poke, WRITE]) if one.lasts]
    assert lasting == ["connect 1", "read 1", "read 2", "poke 1", "message 3"]


def test_files_meet_what_a_disk_does() -> None:
    """The same file may be read by other code later on."""
    read, again = (Point("read", n, "read a.csv", "load") for n in (1, 2))
    opened, removed = Point("file", 1, "open b.csv", "load"), Point("file", 2, "remove b.csv", "load")
    assert told(read, again, opened, removed) == [
        "file gone at read 1",
        "file gone at read 1, always",
        "file gone at read 2",
        "disk full at file 1",
        "disk full at file 1, always",
        "permission denied at file 2",
        "permission denied at file 2, always",
    ]


def test_all_errors_are_all_that_fit() -> None:
    """Each of them is met somewhere."""
    points = [CONNECT, WRITE, COMMIT, REPLY, Point("read", 1, "read a", "t"), Point("file", 1, "open b", "t")]
    points.append(Point("poke", 1, "a poke of wait", "wait"))
    found = attempts(points, all_errors=True)
    assert {one.error for one in found} == set(OUTAGES)
    assert all(one.point.kind in OUTAGES[one.error].at for one in found)
    assert Attempt(CONNECT, "connection refused", ALWAYS) in found
