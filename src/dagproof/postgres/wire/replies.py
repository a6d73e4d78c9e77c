"""Which of a client's messages the server has answered: needed to know when message k is done, also in a pipeline."""

from __future__ import annotations

from collections import deque

from dagproof.postgres.wire.protocol import (
    BIND,
    CLOSE,
    COPY_BOTH,
    COPY_DONE,
    COPY_FAIL,
    COPY_IN,
    DESCRIBE,
    ERROR,
    EXECUTE,
    FUNCTION_CALL,
    PARSE,
    QUERY,
    READY,
    SYNC,
)

_UNTIL_READY = frozenset((QUERY, SYNC, FUNCTION_CALL))
# The server's message that ends the answer: ParseComplete, BindComplete, CloseComplete, RowDescription or NoData,
# and CommandComplete, EmptyQueryResponse or PortalSuspended.
_ENDS = {PARSE: b"1", BIND: b"2", CLOSE: b"3", DESCRIBE: b"Tn", EXECUTE: b"CIs"}
_ANSWERED = _UNTIL_READY | _ENDS.keys()

#: Messages whose answer the server keeps to itself until a Sync or Flush.
EXTENDED = frozenset(_ENDS)


class Replies:
    """Follows one connection. `asked` and `answered` only grow: message n is done when ``answered >= n``.

    An answer ends with ReadyForQuery for Query, Sync and FunctionCall, with CopyInResponse when a Query or Execute
    begins a COPY FROM STDIN, with CommandComplete or its like for an Execute. CopyDone and CopyFail take over from
    the message that began the COPY. After an error the server skips what comes before the next Sync: that is answered,
    too, by the error.
    """

    __slots__ = ("_copying", "_queue", "_skipping", "answered", "asked")

    def __init__(self) -> None:
        self.asked = 0
        self.answered = 0
        self._queue: deque[int] = deque()
        self._copying = 0  # Query or Execute, whichever began the COPY FROM STDIN that is under way
        self._skipping = False

    def ask(self, kind: int) -> int:
        """Note a message of the client's, and return what it is answered like; 0 when no answer of its own is due."""
        if kind in (COPY_DONE, COPY_FAIL):
            kind, self._copying = self._copying, 0  # outside of a COPY the server ignores it
        elif kind == SYNC and not self._copying:  # within a COPY, too
            self._skipping = False
        if kind not in _ANSWERED or self._copying or self._skipping:
            return 0
        self._queue.append(kind)
        self.asked += 1
        return kind

    def told(self, kind: int) -> None:
        """Note a message of the server's."""
        queue = self._queue
        if kind == READY:
            while queue and self._pop() not in _UNTIL_READY:
                pass
        elif kind == ERROR:
            self._failed()
        elif kind in (COPY_IN, COPY_BOTH):
            if queue:
                self._copying = self._pop()
            # A Sync that libpq sends with the Execute is ignored in the midst of the COPY.
            while self._copying == EXECUTE and queue:
                self._pop()
        elif queue and kind in _ENDS.get(queue[0], b""):
            self._pop()

    def _failed(self) -> None:
        if self._copying:
            self._skipping = self._copying == EXECUTE
            self._copying = 0
        elif self._queue and self._queue[0] not in _UNTIL_READY:
            while self._queue and self._queue[0] != SYNC:
                self._pop()
            self._skipping = not self._queue

    def _pop(self) -> int:
        self.answered += 1
        return self._queue.popleft()
