"""The order in which the loop does things."""

from __future__ import annotations

import socket
import threading

from dagproof.postgres.wire.loop import READ, Loop


def test_what_is_ready_comes_before_what_is_handed_in() -> None:
    """Also when it became ready after the loop had last looked: so nothing a client has sent is missed by a watch."""
    loop = Loop("test")
    here, there = socket.socketpair()
    other_here, other_there = socket.socketpair()
    seen: list[str] = []
    done = threading.Event()

    def first(events: int) -> None:
        here.recv(10)
        other_there.send(b"x")  # ready from here on
        loop.post(handed_in)

    def handed_in() -> None:
        seen.append("handed in")
        done.set()

    def second(events: int) -> None:
        other_here.recv(10)
        seen.append("was ready")

    loop.call(lambda: loop.want(here, 0, READ, first))
    loop.call(lambda: loop.want(other_here, 0, READ, second))
    there.send(b"x")
    assert done.wait(10)
    loop.stop(lambda: None)
    assert seen == ["was ready", "handed in"]
    for sock in (there, other_there):
        sock.close()
