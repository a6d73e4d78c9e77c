"""Threads that importing starts are held back for the runs, unless somebody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dagproof.inside import background


@pytest.fixture(autouse=True)
def nothing_is_held() -> Iterator[None]:
    """Each test begins and ends without any."""
    background.forget()
    yield
    background.forget()


def test_a_daemon_thread_starts_with_the_run() -> None:
    """Not with the import; then it knows that it is one of the background."""
    said: list[bool] = []
    done = threading.Event()

    def work() -> None:
        said.append(background.is_background())
        done.set()

    with background.held_back():
        threading.Thread(target=work, daemon=True).start()
        assert said == []
    background.start_held_back()
    assert done.wait(5)
    assert said == [True]
    assert not background.is_background()


def test_a_thread_that_is_waited_for_starts_at_once() -> None:
    """Else the import would hang."""
    ready, end = threading.Event(), threading.Event()

    def work() -> None:
        ready.set()
        end.wait(5)

    with background.held_back():
        thread = threading.Thread(target=work, daemon=True, name="cache")
        thread.start()
        assert ready.wait(5)
        assert thread.is_alive()
        end.set()
        thread.join(5)
    assert background.named(thread).startswith(f"cache, started by {__name__}:")


def test_a_thread_that_is_no_daemon_is_named_with_who_started_it() -> None:
    """It would keep the process alive: nobody may hold it back."""
    end = threading.Event()
    with background.held_back():
        thread = threading.Thread(target=end.wait, args=(5,), name="pool")
        thread.start()
    assert thread.is_alive()
    end.set()
    thread.join()
    assert background.named(thread).startswith(f"pool, started by {__name__}:")
