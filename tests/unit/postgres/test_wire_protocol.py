"""What the proxy knows of PostgreSQL's protocol: first packets, texts of messages, which answer belongs to which."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.postgres.wire.protocol import (
    HEAD_BYTES,
    NotPostgresError,
    error_response,
    length_at,
    read_startup,
    text_of,
)
from dagproof.postgres.wire.replies import Replies


def packet(code: int, body: bytes = b"") -> bytes:
    return struct.pack("!II", len(body) + 8, code) + body


@pytest.mark.parametrize(
    ("data", "kind", "database"),
    [
        pytest.param(packet(80877103), "encryption", "", id="SSLRequest"),
        pytest.param(packet(80877104), "encryption", "", id="GSSENCRequest"),
        pytest.param(packet(80877102, b"\0" * 8), "cancel", "", id="CancelRequest"),
        pytest.param(packet(80877102, b"\0" * 36), "cancel", "", id="CancelRequest of 3.2"),
        pytest.param(packet(196608, b"user\0me\0database\0db\0\0"), "session", "db", id="3.0"),
        pytest.param(packet(196610, b"database\0d\xc3\xa9b\0user\0me\0\0"), "session", "déb", id="3.2"),
        pytest.param(packet(196608, b"user\0me\0\0"), "session", "me", id="the user's own"),
        pytest.param(packet(196608, b"user\0database\0database\0x\0\0"), "session", "x", id="a user of that name"),
    ],
)
def test_a_first_packet_is_understood_once_it_is_there(data: bytes, kind: str, database: str) -> None:
    """Whatever follows it; and not a byte earlier."""
    startup = read_startup(data + b"more")
    assert startup is not None
    assert (startup.kind, startup.size, startup.database) == (kind, len(data), database)
    assert all(read_startup(data[:n]) is None for n in range(len(data)))


@given(st.binary(min_size=8, max_size=40))
def test_any_first_packet_is_understood_or_refused(data: bytes) -> None:
    """A server refuses a length that no packet has, and so does the proxy."""
    size = struct.unpack_from("!I", data)[0]
    if 8 <= size <= 10_000:
        read_startup(data)
    else:
        with pytest.raises(NotPostgresError, match=str(size)):
            read_startup(data)


def test_a_refusal_is_one_whole_message() -> None:
    """Its length counts itself, its fields end with a null byte each."""
    refusal = error_response("no")
    assert refusal[:1] == b"E"
    assert length_at(refusal, 1)[0] == len(refusal) - 1
    assert refusal.endswith(b"Mno\0\0")


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("Q", b"SELECT\n   1\0", "SELECT 1"),
        ("Q", b"\0", ""),
        ("Q", b"SELECT " + b"x" * 1000 + b"\0", "SELECT " + "x" * 93 + "…"),
        ("P", b"name\0SELECT $1\0\0\0", "SELECT $1"),
        ("B", b"portal\0statement\0\0\0", "statement"),
        ("D", b"Sname\0", "statement name"),
        ("D", b"P\0", "portal"),
        ("C", b"Pp\0", "portal p"),
        ("E", b"p\0\0\0\0\0", "p"),
        ("S", b"", ""),
        ("d", b"x" * 1234, "1,234 bytes"),
        ("f", b"because\0", "because"),
    ],
)
def test_a_message_has_a_short_text(kind: str, body: bytes, text: str) -> None:
    """Enough to find it in a list."""
    assert text_of(ord(kind), len(body), body[:HEAD_BYTES]) == text


# A conversation: what the client says is upper-case text, what the server says is in brackets; the numbers are of the
# messages that are answered then.
CONVERSATIONS = {
    "simple": ("Q [T] [D] [C] [Z]", 1, 1),
    "two statements at once": ("Q [C] [C] [Z]", 1, 1),
    "not answered before ReadyForQuery": ("Q [T] [C]", 1, 0),
    "batch": ("P B D E S [1] [2] [T] [D] [C] [Z]", 5, 5),
    "half a batch": ("P B D E S [1] [2] [n]", 5, 3),
    "a statement is described": ("P D S [1] [t]", 3, 1),
    "and that takes two messages": ("P D S [1] [t] [T]", 3, 2),
    "an empty query": ("P B E [1] [2] [I]", 3, 3),
    "some rows": ("E [D] [s]", 1, 1),
    "an error ends a batch up to its Sync": ("P B E B E S [1] [E]", 6, 5),
    "and Sync is answered, too": ("P B E B E S [1] [E] [Z]", 6, 6),
    "what is sent behind an error is skipped": ("P [E] B E", 1, 1),
    "but for the next batch": ("P [E] B S P S [Z] [1]", 4, 3),
    "simple error": ("Q [E] [Z]", 1, 1),
    "an error of Sync": ("E S [C] [E]", 2, 1),
    "notices answer nothing": ("E S [N] [A] [S]", 2, 0),
    "COPY in": ("Q [G] d d c [C] [Z]", 2, 2),
    "COPY begins": ("Q [G]", 1, 1),
    "COPY fails": ("Q [G] d [E] c [Z] Q", 2, 1),
    "the client fails a COPY": ("Q [G] d f [E]", 2, 1),
    "and is told so": ("Q [G] d f [E] [Z]", 2, 2),
    "two COPYs in one query": ("Q [G] d c [C] [G] d c [C] [Z]", 3, 3),
    "extended COPY": ("P B E S [1] [2] [G]", 4, 4),
    "Sync within a COPY is ignored": ("P B E [1] [2] [G] S d c S [C]", 5, 4),
    "and the one behind is not": ("P B E [1] [2] [G] S d c S [C] [Z]", 5, 5),
    "extended COPY fails": ("P B E S [1] [2] [G] d [E] c S [Z] P", 6, 5),
    "COPY out": ("Q [H] [d] [d] [c] [C] [Z]", 1, 1),
    "CopyDone outside of a COPY": ("c Q [Z]", 1, 1),
    "a function is called": ("F [V] [Z]", 1, 1),
    "an error that nobody asked for": ("Q [Z] [E] P", 2, 1),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_it_is_known_what_is_answered(name: str) -> None:
    """After each conversation so many messages were asked, and so many of them answered."""
    conversation, asked, answered = CONVERSATIONS[name]
    replies = Replies()
    for said in conversation.split():
        if said.startswith("["):
            replies.told(ord(said[1]))
        else:
            replies.ask(ord(said))
    assert (replies.asked, replies.answered) == (asked, answered)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(b"QPBDECHSdcfFXZEGWTtn123CIsHDAN"))))
def test_answers_never_outnumber_questions(said: list[tuple[bool, int]]) -> None:
    """Whatever both sides say, in whatever order."""
    replies = Replies()
    for by_server, kind in said:
        before = (replies.asked, replies.answered)
        if by_server:
            replies.told(kind)
        else:
            replies.ask(kind)
        assert before <= (replies.asked, replies.answered)
        assert replies.answered <= replies.asked
