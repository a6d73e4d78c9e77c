"""Which faults are worth trying."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.postgres.wire import Message, fault_points

KINDS = {
    "Q": "Query",
    "P": "Parse",
    "B": "Bind",
    "D": "Describe",
    "E": "Execute",
    "C": "Close",
    "H": "Flush",
    "S": "Sync",
    "d": "CopyData",
    "c": "CopyDone",
    "f": "CopyFail",
    "X": "Terminate",
}


def seen(text: str) -> list[Message]:
    """Messages out of ``"Q:BEGIN P:SELECT B D E S"``; ``2/Q:BEGIN`` is on connection 2."""
    found = []
    for n, word in enumerate(text.split(), start=1):
        place, _, rest = word.rpartition("/")
        kind, _, sql = rest.partition(":")
        found.append(Message(n, KINDS[kind], sql.replace("_", " "), int(place or 1), "w", 1))
    return found


def shown(text: str, **options: int) -> str:
    """The points, as ``"-1 1- "``: before 1, after 1."""
    points = fault_points(seen(text), **options).points
    return " ".join(f"-{index}" if when == "before" else f"{index}-" for index, when in points)


@pytest.mark.parametrize(
    ("messages", "points"),
    [
        pytest.param("Q:BEGIN Q:DELETE Q:COMMIT", "-1 1- -2 2- -3 3-", id="each query, before and after"),
        pytest.param("P:SELECT B D E S", "-1 5-", id="a batch, before its first and after its Sync"),
        pytest.param("P:A B E P:B B E S", "-1 3- 7-", id="a pipeline, after each Execute too"),
        pytest.param("P:A B E Q:B", "-1 3- -4 4-", id="a batch without Sync"),
        pytest.param("P:A B E", "-1 3-", id="a batch at the end"),
        pytest.param("P:A D S", "", id="nothing is executed"),
        pytest.param("C S H S Q: Q:; X", "", id="no statement"),
        pytest.param("Q:COPY d c", "-1 1- -2 -3 3-", id="COPY"),
        pytest.param("P:COPY B E S d c S", "-1 4- -5 -6 7-", id="COPY in the extended protocol"),
        pytest.param("Q:COPY d f", "-1 1- -2", id="a COPY that the client gives up"),
        pytest.param("1/Q:A 2/P:B 1/Q:C 2/B 2/E 2/S", "-1 1- -2 -3 3- 6-", id="two connections"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_points_are_where_a_state_can_be_of_its_own(messages: str, points: str) -> None:
    """And nowhere else."""
    assert shown(messages) == points


def test_a_long_copy_is_thinned_and_it_says_so() -> None:
    """The first, the middle and the last CopyData stay; each COPY counts for itself."""
    found = fault_points(seen("Q:COPY " + "d " * 17 + "c"))
    assert [index for index, when in found.points if 2 <= index <= 18] == [2, 10, 18]
    assert found.thinned == "14 of 17 CopyData messages left out"
    assert fault_points(seen("Q:COPY d d d c Q:COPY d d d c")).thinned is None
    twice = fault_points(seen("Q:COPY d d d d c Q:COPY d d d d d c"))
    assert twice.thinned == "3 of 9 CopyData messages left out"


@pytest.mark.parametrize(
    ("one", "shape"),
    [
        pytest.param("Q:INSERT_{n} ", "INSERT ?", id="simple"),
        pytest.param("Q:BEGIN Q:INSERT_'x{n}' Q:COMMIT ", "INSERT ?", id="in a transaction each"),
        pytest.param("P:INSERT_$1 B E S ", "INSERT $?", id="extended"),
        pytest.param("B:s1 E S ", "s1", id="prepared"),
    ],
)
def test_a_long_stream_of_one_statement_is_thinned_and_it_says_so(one: str, shape: str) -> None:
    """Inserts with a commit each, in whatever way."""
    found = fault_points(seen("".join(one.format(n=n) for n in range(1000))))
    assert len(found.points) < 50
    assert found.thinned
    assert f"points at '{shape}' left out" in found.thinned
    assert fault_points(seen("".join(one.format(n=n) for n in range(20)))).thinned is None


def test_commits_of_different_transactions_are_all_kept() -> None:
    """A hundred COMMITs behind a hundred different statements are no stream."""
    transactions = [f"Q:BEGIN Q:INSERT_{chr(97 + n)}{chr(97 + m)} Q:COMMIT" for n in range(10) for m in range(10)]
    points = fault_points(seen(" ".join(transactions))).points
    assert [index for index in range(3, 301, 3) if (index, "after") not in points] == []


@given(st.lists(st.sampled_from([*KINDS, "2/Q", "2/E", "2/S"]), max_size=200))
def test_points_are_of_what_was_seen_and_in_order(kinds: list[str]) -> None:
    """Each once; every query is among them, unless it is said what was left out."""
    messages = seen(" ".join(f"{kind}:x{n}" for n, kind in enumerate(kinds)))
    found = fault_points(messages, longest=5)
    assert list(found.points) == sorted(set(found.points), key=lambda point: (point[0], point[1] == "after"))
    assert {index for index, _ in found.points} <= {message.index for message in messages}
    queries = {(message.index, "after") for message in messages if message.kind == "Query"}
    assert queries <= set(found.points) or found.thinned
