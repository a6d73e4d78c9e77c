"""A program of ours that runs beside this process, and does not outlive it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagproof import reaper


class ChildProcess:
    """A program that was started; as a context manager it is closed at the end of the block.

    It has a session of its own: Ctrl-C reaches us alone, and we end it in our own time. The reaper ends it when we
    cannot.

    Args:
        command: the program and its arguments.
        log: the file that receives what it prints; without one, it prints where we do.
        env: its environment; ours by default.
        cwd: where it runs; where we do by default.
        descriptors: those of ours that it inherits.
        stop: the signal that ends it.
        grace: seconds after which it is killed if it has not ended by then.
        whole: whether all that it has started is ended with it.
        options: further arguments of :class:`subprocess.Popen`.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        descriptors: Sequence[int] = (),
        stop: signal.Signals = signal.SIGTERM,
        grace: float = 2.0,
        whole: bool = False,
        **options: Any,
    ) -> None:
        self.log = log
        with log.open("wb") if log else contextlib.nullcontext() as output:
            self._process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                pass_fds=descriptors,
                start_new_session=True,
                **options,
            )
        self._undo = reaper.kill_later(self._process.pid, stop=stop, grace=grace, group=whole)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end, no longer than that; tell whether it has come."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def status(self) -> int:
        """Its exit status, when it is over; the negative number of a signal that has ended it."""
        return self._process.wait()

    @property
    def how_it_ended(self) -> str:
        """What follows ``it ended``, when it is over: ``by SIGKILL``, ``with exit status 3``."""
        status = self.status
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"

    def said(self) -> list[str]:
        """Return the lines that it has printed to its log so far, but for empty ones at both ends."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self.log else []

    def last_words(self) -> str:
        """Return the last line that it has printed, to follow ``it ended`` in brackets."""
        return next((line.strip() for line in reversed(self.said()) if line.strip()), "it printed nothing")

    def stop(self) -> None:
        """Let it end; :meth:`close` waits for that."""
        self._process.terminate()

    def close(self, patience: float = 0.0) -> None:
        """Wait so many seconds for it to end by itself, and make an end where it does not."""
        if patience:
            self.wait(patience)
        self._undo.undo()
        self._process.wait()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
