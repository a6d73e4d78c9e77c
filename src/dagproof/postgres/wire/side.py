"""One of the two sockets of a connection that passes through a proxy."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from typing import IO

from dagproof.postgres.wire.loop import READ, WRITE, Handler, Loop

CHUNK_BYTES = 256 * 2**10
_KEPT_BYTES = 2**20  # of replies that are held back; what is more goes to a file


class Side:
    """A socket, what it could not take yet, and what came from it and was not passed on yet.

    `carry` is the beginning of a message, too short to know what it is, or everything behind a stop. `left` is how
    many bytes of the current message are still to come. Once `broken`, what is sent is lost, and nothing raises.
    """

    __slots__ = ("_events", "_handler", "_held", "_loop", "_rest", "broken", "carry", "left", "sock")

    def __init__(self, loop: Loop, sock: socket.socket, handler: Handler) -> None:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.carry = b""
        self.left = 0
        self.broken = False
        self._rest = b""
        self._held: IO[bytes] | None = None
        self._loop = loop
        self._handler = handler
        self._events = 0

    @property
    def full(self) -> bool:
        """Whether it has still to take what it was given."""
        return bool(self._rest)

    @property
    def at_ease(self) -> bool:
        """Whether it only waits for what comes next."""
        return not self._rest and self._events == READ and not self.broken

    def want(self, events: int) -> None:
        """Be called for these events, and for room to write while something waits to be written."""
        if self._rest:
            events |= WRITE
        if events != self._events:
            self._loop.want(self.sock, self._events, events, self._handler)
            self._events = events

    def receive(self, buffer: memoryview) -> int:
        """Read behind what was carried over, and return how much there is in `buffer` now; -1 when no more comes."""
        carried = len(self.carry)
        buffer[:carried] = self.carry
        try:
            count = self.sock.recv_into(buffer[carried:] if carried else buffer)
        except (BlockingIOError, InterruptedError):
            return carried
        except OSError:
            return -1
        return carried + count if count else -1

    def send(self, data: memoryview | bytes) -> None:
        """Send what goes at once, and the rest when there is room."""
        count = 0 if self._rest else self._send(data)
        if count < len(data) and not self.broken:
            self._rest += bytes(data[count:])

    def flush(self) -> None:
        """Send more of what waits."""
        while self._rest:
            count = self._send(self._rest)
            if not count:
                return
            self._rest = self._rest[count:]
            if not self._rest and self._held:
                self._rest = self._held.read(CHUNK_BYTES)
                if not self._rest:
                    self._forget_held()

    def _send(self, data: memoryview | bytes) -> int:
        try:
            return self.sock.send(data) if data and not self.broken else 0
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self.broken = True
            self._rest = b""
            self._forget_held()
            return 0

    def hold_back(self, data: memoryview) -> None:
        """Keep something that may be sent later."""
        if self._held is None:
            self._held = tempfile.SpooledTemporaryFile(max_size=_KEPT_BYTES)  # noqa: SIM115 - lives as long as we do
        self._held.write(data)

    def send_held_back(self) -> None:
        """Send what was kept, in front of anything that comes from now on."""
        if self._held:
            self._held.seek(0)
            self._rest += self._held.read(CHUNK_BYTES)
            self.flush()

    def end(self) -> None:
        """Tell the peer that nothing more comes."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket and forget what waits."""
        self._rest = self.carry = b""
        self._forget_held()
        self.want(0)
        self.sock.close()

    def _forget_held(self) -> None:
        held, self._held = self._held, None
        if held:
            held.close()
