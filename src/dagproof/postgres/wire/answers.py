"""What comes from the server of a connection: where its messages begin, and which of them are not for the client."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dagproof.postgres.wire.protocol import ERROR, HEADER_BYTES, ROWS, length_at
from dagproof.postgres.wire.replies import Replies
from dagproof.postgres.wire.side import Side

ENDLESS = sys.maxsize  # as the length of a message: all that comes is passed on and not looked at
NEVER = sys.maxsize


class Answers:
    """Follows the server's messages in a buffer, and takes out the answers to what the proxy itself has asked."""

    def __init__(self, buffer: memoryview) -> None:
        self.replies = Replies()
        self._buffer = buffer
        self._hidden: set[int] = set()  # the numbers of the messages that the proxy itself has sent
        self._instead = b""  # what the client gets instead of the next error
        self._dropping = False  # the server's current message is not for the client

    @property
    def edits(self) -> bool:
        """Whether anything of what comes may not be for the client."""
        return bool(self._hidden or self._instead or self._dropping)

    def ask(self, kind: int, *, hidden: bool) -> None:
        """Note a message of the proxy's own; its answer is not for the client where it is `hidden`, but an error is."""
        asked = self.replies.asked
        if self.replies.ask(kind) and hidden:
            self._hidden.add(asked)

    def put_instead(self, error: bytes) -> None:
        """Give the client `error` instead of the next one."""
        self._instead = error

    def walk(self, server: Side, total: int, *, until: int) -> tuple[int, int]:
        """Find the messages in the buffer; return where `until` messages are answered, and where its last one begins.

        The former is :data:`NEVER` where that comes later, or was before.
        """
        position, left, buffer, told = 0, server.left, self._buffer, self.replies.told
        own = NEVER
        while True:
            if left > total - position:
                left -= total - position
                position = total
                break
            position += left
            left = 0
            if total - position < HEADER_BYTES:
                break
            kind = buffer[position]
            if own == NEVER and self.replies.answered >= until:
                own = position
            if kind not in ROWS:
                told(kind)
            left = length_at(buffer, position + 1)[0] + 1
            if left < HEADER_BYTES:
                left = ENDLESS
        server.left = left
        return own, position

    def edit(self, server: Side, total: int, send: Callable[[bytes], None]) -> int:
        """Send what is for the client of the messages in the buffer; return how much of it was looked at."""
        position, left, buffer = 0, server.left, self._buffer
        while True:
            step = min(left, total - position)
            if not self._dropping:
                send(bytes(buffer[position : position + step]))
            position += step
            left -= step
            if left or total - position < HEADER_BYTES:
                break
            kind = buffer[position]
            self._dropping = kind != ERROR and self.replies.answered in self._hidden
            if kind == ERROR and self._instead:
                send(self._instead)
                self._instead, self._dropping = b"", True
            self.replies.told(kind)
            left = length_at(buffer, position + 1)[0] + 1
        server.left = left
        self._dropping = self._dropping and left > 0
        self._hidden = {number for number in self._hidden if number >= self.replies.answered}
        return position
