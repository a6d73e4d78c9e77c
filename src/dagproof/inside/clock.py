"""The world's clock: it starts where it is told, runs on, and jumps ahead instead of waiting."""

from __future__ import annotations

import bisect
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import time_machine

from dagproof.inside.background import is_background


@dataclass(order=True)
class Arrival:
    """Something that happens in the world at a moment, whoever waits for it: `happen` makes it so."""

    moment: datetime
    happen: Callable[[], None] = field(compare=False)


class Clock:
    """The wall clock that a run sees, moved by time-machine (which moves pandas' and the C library's clock too).

    ``time.sleep`` returns at once, with the clock ahead by what was asked for. `next_due` may name the moment that
    the sleeper really waits for; the clock then jumps there instead of stepping. Whatever jumps over an arrival lets
    it happen, at its time. ``time.monotonic``, by which Airflow's sensors and event loops tell how long they have
    waited, moves along; ``time.perf_counter`` does not.

    An alarm that is set (Airflow enforces execution timeouts by one) rings when the clock passes it.
    """

    def __init__(
        self,
        start: datetime,
        next_due: Callable[[], datetime | None] = lambda: None,
        arrivals: Sequence[Arrival] = (),
    ) -> None:
        # a number, for a datetime would bring its time zone along
        self._traveller = time_machine.travel(start.timestamp(), tick=True)
        self._coordinates: Any = None
        self._sleep = time.sleep
        self._monotonic = time.monotonic
        self._next_due = next_due
        self._arrivals = sorted(arrivals)
        self.skipped = 0.0
        """Seconds that were jumped over so far."""

    def start(self) -> None:
        """Move this process to the world's time and put waiting out of force."""
        self._coordinates = self._traveller.start()
        time.sleep = self.sleep  # type: ignore[assignment]  # ours takes a float, and that is all that is passed
        time.monotonic = self.monotonic

    def monotonic(self) -> float:
        """Return what ``time.monotonic`` would be, had the time really passed."""
        return self._monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, in no time; in truth for a thread that importing has started."""
        if is_background():
            self._sleep(seconds)
            return
        self._sleep(min(seconds, 0.0005))  # other threads get their turn
        due = self._next_due()
        ahead = 0.0 if due is None else (due - datetime.now(tz=due.tzinfo)).total_seconds()
        self.advance(ahead if ahead > 0 else seconds)  # who still sleeps after what was due waits for something else

    def advance(self, seconds: float) -> None:
        """Jump ahead, never back; let what arrives on the way happen, and an alarm that is passed ring."""
        alarm = signal.getitimer(signal.ITIMER_REAL)[0]
        rings = 0 < alarm <= seconds
        target = self._monotonic() + self.skipped + (alarm if rings else seconds)
        while (arrival := self.next_arrival()) is not None:
            until = (arrival - datetime.now(tz=arrival.tzinfo)).total_seconds()
            if until > target - self.monotonic():
                break
            self._shift(until)
            self._arrivals.pop(0).happen()
        self._shift(target - self.monotonic())
        if rings:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.raise_signal(signal.SIGALRM)
        elif alarm and seconds > 0:
            signal.setitimer(signal.ITIMER_REAL, alarm - seconds)

    def expect(self, arrival: Arrival) -> None:
        """Let something happen at its moment, or as soon as time goes on when that has passed."""
        bisect.insort(self._arrivals, arrival)

    def let_arrive(self) -> None:
        """Let happen what was still to arrive, at its time: nobody waited for it."""
        while (arrival := self.next_arrival()) is not None:
            self.advance(max(0.0, (arrival - datetime.now(tz=arrival.tzinfo)).total_seconds()) + 0.001)

    def next_arrival(self) -> datetime | None:
        """Return when something happens next without the run's doing; None when nothing will."""
        return self._arrivals[0].moment if self._arrivals else None

    def _shift(self, seconds: float) -> None:
        if seconds > 0:
            self._coordinates.shift(timedelta(seconds=seconds))
            self.skipped += seconds
