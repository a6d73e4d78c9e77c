"""One thread that waits for all sockets of a proxy at once."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from dagproof.errors import DagproofError

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

T = TypeVar("T")
Handler = Callable[[int], None]


class LoopEndedError(DagproofError):
    """The loop runs no more: it was stopped, or something went wrong in it, which is the cause."""


class Loop:
    """Calls a handler when its socket is ready, and functions that other threads hand in.

    Everything runs in the one thread, so that nothing needs a lock, and what is counted is counted in one order.
    """

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._posted: deque[Callable[[], None]] = deque()
        self._stopping = False
        self._error: BaseException | None = None
        self._selector.register(self._wake_out, READ, self._drain_wakes)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def want(self, sock: socket.socket, before: int, events: int, handler: Handler) -> None:
        """Have `handler` called for `events` of a socket from now on, where it was for those in `before`."""
        if not before:
            self._selector.register(sock, events, handler)
        elif events:
            self._selector.modify(sock, events, handler)
        else:
            self._selector.unregister(sock)

    def post(self, function: Callable[[], None]) -> None:
        """Have a function run in the loop's thread, behind what is ready now."""
        self._posted.append(function)
        with contextlib.suppress(OSError):  # awake already, or ended
            self._wake_in.send(b"\0")

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the loop's thread and return its result.

        Raises:
            LoopEndedError: there is no loop to run it.
        """
        results: list[T] = []
        done = threading.Event()

        def run() -> None:
            try:
                results.append(function())
            finally:
                done.set()

        self.post(run)
        while not done.wait(0.5):
            if not self._thread.is_alive():
                break
        if not results:
            why = f"has failed: {self._error!r}" if self._error else "is closed"
            raise LoopEndedError(f"The proxy {why}. Make a new one.") from self._error
        return results[0]

    def catch_up(self) -> None:
        """Wait until what is ready on the sockets now was handled; nothing when the loop has ended."""
        with contextlib.suppress(LoopEndedError):
            self.call(lambda: None)

    def stop(self, last: Callable[[], None]) -> None:
        """Run a last function in the thread, and end it; raise what went wrong in it, if something did."""
        self.post(last)
        self._stopping = True
        self.post(lambda: None)
        self._thread.join()
        if self._error:
            raise LoopEndedError(f"The proxy has failed: {self._error!r}.") from self._error

    def _run(self) -> None:
        try:
            while not self._stopping or self._posted:
                due = len(self._posted)  # what was ready when these were handed in comes first, so it is looked for now
                for key, events in self._selector.select(0 if due else None):
                    key.data(events)
                for _ in range(due):
                    self._posted.popleft()()
        except BaseException as error:  # it is raised where somebody can see it
            self._error = error
        finally:
            self._close()

    def _drain_wakes(self, events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_out.recv(4096):
                pass

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
        self._wake_in.close()
