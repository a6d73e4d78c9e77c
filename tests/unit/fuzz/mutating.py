"""Good input, spoilt as files of strangers are: cut, doubled, of another encoding, with odd numbers and names."""

from __future__ import annotations

from random import Random

ODD = (
    b"", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", b"\xc2\x9b",
    "\u202e".encode(),
    b"::error::x", b"##[error]x", b'"', b"'", b"{", b"}", b"[" * 3_000, b"(" * 3_000, b"{" * 3_000, b"-" * 3_000,
    b"9" * 5_000, b"-1e18", b"1e400", b"NaN", b"inf", b"-inf", b"0x" + b"f" * 5_000, b"1767225600123456789",
    b"0001-01-01T00:00:00+05:00", b"9999-12-31T23:59:59-05:00", b"2026-01-01T00:00:00+17:00", b"0000-00-00",
    b"x" * 6_000, "é".encode() * 3_000, b"../../etc/passwd", b"*a" * 18, b"(a+)+$", b"# coding: undefined\n",
    b"null", b"true", b"[]", b"{}", b"\\ud800", b"\\u0000", b",", b";", b"=", b"\t", b" ",
)  # fmt: skip


def mutated(content: bytes, draw: Random) -> bytes:
    """Return the content with one to three things wrong with it."""
    for _ in range(draw.randint(1, 3)):
        content = draw.choice(WAYS)(content, draw)
    return content


def _cut(content: bytes, draw: Random) -> bytes:
    return content[: draw.randint(0, len(content))]


def _insert(content: bytes, draw: Random) -> bytes:
    at = draw.randint(0, len(content))
    return content[:at] + draw.choice(ODD) + content[at:]


def _replace(content: bytes, draw: Random) -> bytes:
    """Put something odd into the place of a field."""
    first = draw.randint(0, len(content))
    stops = [at for sign in b',"\n: ' if (at := content.find(bytes([sign]), first)) >= 0]
    return content[:first] + draw.choice(ODD) + content[min(stops, default=len(content)) :]


def _flip(content: bytes, draw: Random) -> bytes:
    if not content:
        return content
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def _lines(content: bytes, draw: Random) -> bytes:
    """Shuffle, double or drop lines."""
    lines = content.splitlines(keepends=True)
    draw.shuffle(lines)
    return b"".join(draw.choices(lines, k=draw.randint(0, len(lines) + 2))) if lines else content


def _nothing_left(content: bytes, draw: Random) -> bytes:
    return draw.choice(ODD)


def _encode(content: bytes, draw: Random) -> bytes:
    return content.decode("utf-8", "replace").encode(draw.choice(["utf-16", "utf-8-sig", "utf-32-le"]))


WAYS = (_cut, _insert, _insert, _replace, _replace, _replace, _flip, _flip, _lines, _encode, _nothing_left)
