"""The world's clock: time is skipped, not waited for. In a process of its own, which it moves for good."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from datetime import datetime
from typing import Any

import pytest

START = """
    import json, sys, time
    from datetime import datetime, timedelta, timezone
    from dagproof.inside.clock import Clock
    began, sleep = time.clock_gettime(time.CLOCK_BOOTTIME), time.sleep
    start = datetime(2030, 2, 28, 23, 59, tzinfo=timezone.utc)
    found = {}
"""
END = """
    found["waited"] = time.clock_gettime(time.CLOCK_BOOTTIME) - began
    print(json.dumps(found, default=str))
"""


def run(program: str) -> dict[str, Any]:
    """Run a program after the clock's imports, and return what it `found`."""
    text = textwrap.dedent(START) + textwrap.dedent(program) + textwrap.dedent(END)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def is_near(moment: str, expected: str) -> bool:
    """Whether a moment is within a few seconds of the minute `expected`: a busy machine takes its time."""
    difference = datetime.fromisoformat(moment) - datetime.fromisoformat(f"{expected}:00+00:00")
    return -1 < difference.total_seconds() < 10


def test_the_clock_begins_where_it_is_told() -> None:
    """For all of Python, and runs on from there."""
    found = run(
        """
        Clock(start).start()
        found["now"], found["time"] = datetime.now(timezone.utc), time.time()
        before = time.time()
        sleep(0.01)
        found["runs"] = time.time() > before
        found["gmtime"] = time.strftime("%F %R", time.gmtime())
        """
    )
    assert found["now"].startswith("2030-02-28 23:59:0")
    assert 0 <= found["time"] - 1898553540 < 5
    assert found["runs"] is True
    assert found["gmtime"] == "2030-02-28 23:59"


def test_a_sleep_takes_no_time_and_moves_the_clock() -> None:
    """An hour passes at once."""
    found = run(
        """
        Clock(start).start()
        before = time.time()
        time.sleep(3600)
        found["passed"], found["now"] = time.time() - before, datetime.now(timezone.utc)
        """
    )
    assert 3600 <= found["passed"] < 3605
    assert found["now"].startswith("2030-03-01 00:59:0")
    assert found["waited"] < 5


def test_a_sleeper_wakes_when_something_is_due() -> None:
    """Not before, and not in steps: whoever polls each second for six hours polls once."""
    found = run(
        """
        due = start + timedelta(hours=6)
        Clock(start, next_due=lambda: due).start()
        time.sleep(1)
        found["now"] = datetime.now(timezone.utc)
        time.sleep(1)
        found["later"] = datetime.now(timezone.utc) < due + timedelta(minutes=1)
        found["never back"] = datetime.now(timezone.utc) >= due
        """
    )
    assert found["now"].startswith("2030-03-01 05:59:0")
    assert found["later"]
    assert found["never back"]


def test_a_sleeper_whose_moment_has_passed_waits_for_something_else() -> None:
    """Its clock goes on by what it asked for, instead of standing still until the moment is asked for again."""
    found = run(
        """
        Clock(start, next_due=lambda: start).start()
        time.sleep(3600)
        found["now"] = datetime.now(timezone.utc)
        """
    )
    assert found["now"].startswith("2030-03-01 00:59:0")


def test_pandas_sees_the_same_time() -> None:
    """It asks the C library, which freezegun does not move."""
    pytest.importorskip("pandas")
    found = run(
        """
        import pandas
        Clock(start).start()
        found["now"], found["utcnow"] = pandas.Timestamp.now(tz="UTC"), pandas.to_datetime("now", utc=True)
        """
    )
    assert found["now"].startswith("2030-02-28 23:59:0")
    assert found["utcnow"].startswith("2030-02-28 23:59:0")


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Chatham", "America/New_York"])
def test_the_clock_leaves_the_time_zone_alone(zone: str) -> None:
    """It is the machine's: a local date is the one of its own place."""
    found = run(
        f"""
        import os
        os.environ["TZ"] = {zone!r}
        time.tzset()
        Clock(start).start()
        found["zone"] = os.environ["TZ"]
        found["local"] = datetime.now().strftime("%F %R")
        """
    )
    local = {"UTC": "2030-02-28 23:59", "Pacific/Chatham": "2030-03-01 13:44", "America/New_York": "2030-02-28 18:59"}
    assert (found["zone"], found["local"]) == (zone, local[zone])


def test_other_threads_get_their_turn_while_one_sleeps() -> None:
    """A loop that waits for another thread in short sleeps must not starve it."""
    found = run(
        """
        import threading
        Clock(start).start()
        done = threading.Event()
        worker = threading.Thread(target=lambda: (sleep(0.05), done.set()))
        worker.start()
        for polls in range(100_000):
            if done.is_set():
                break
            time.sleep(1)
        worker.join()
        found["polls"] = polls
        """
    )
    assert found["polls"] < 2_000


ARRIVALS = """
    from dagproof.inside.clock import Arrival
    seen = []
    def arrival(minutes, name):
        return Arrival(start + timedelta(minutes=minutes), lambda: seen.append([name, datetime.now(timezone.utc)]))
"""


def test_what_arrives_on_the_way_happens_at_its_time_and_in_order() -> None:
    """A sleep that jumps over two arrivals lets both happen, and leaves alone what comes later."""
    found = run(
        ARRIVALS
        + """
    clock = Clock(start, arrivals=[arrival(50, "later"), arrival(20, "sooner"), arrival(90, "too late")])
    clock.start()
    time.sleep(3600)
    found["seen"], found["next"] = seen, clock.next_arrival()
    found["now"] = datetime.now(timezone.utc)
    """
    )
    (sooner, at_first), (later, then) = found["seen"]
    assert (sooner, later) == ("sooner", "later")
    assert is_near(at_first, "2030-03-01 00:19")
    assert is_near(then, "2030-03-01 00:49")
    assert found["next"].startswith("2030-03-01 01:29")
    assert is_near(found["now"], "2030-03-01 00:59")


def test_an_arrival_may_take_time_of_its_own() -> None:
    """What it sleeps is part of the sleep that it happens in."""
    found = run(
        ARRIVALS
        + """
    clock = Clock(start, arrivals=[Arrival(start + timedelta(minutes=10), lambda: time.sleep(600))])
    clock.start()
    time.sleep(3600)
    found["now"], found["next"] = datetime.now(timezone.utc), clock.next_arrival()
    """
    )
    assert is_near(found["now"], "2030-03-01 00:59")
    assert found["next"] is None


def test_monotonic_time_moves_along_and_what_measures_work_does_not() -> None:
    """An hour's sleep is an hour for who asks how long he has waited; never does it go back."""
    found = run(
        """
        Clock(start).start()
        before, work = time.monotonic(), time.perf_counter()
        time.sleep(3600)
        found["waited for"] = time.monotonic() - before
        found["worked for"] = time.perf_counter() - work
        later = time.monotonic()
        found["forwards"] = time.monotonic() >= later
        """
    )
    assert 3600 <= found["waited for"] < 3660
    assert found["worked for"] < 60
    assert found["forwards"] is True


ALARM = """
    import signal
    rung = []
    signal.signal(signal.SIGALRM, lambda number, frame: rung.append(datetime.now(timezone.utc)))
"""


def test_an_alarm_rings_when_the_clock_passes_it() -> None:
    """Once, at its time, and the sleep ends there."""
    found = run(
        ALARM
        + """
    Clock(start).start()
    signal.setitimer(signal.ITIMER_REAL, 1800)
    time.sleep(3600)
    found["rung"], found["left"] = rung, signal.getitimer(signal.ITIMER_REAL)[0]
    """
    )
    (rung,) = found["rung"]
    assert is_near(rung, "2030-03-01 00:29")
    assert found["left"] == 0


def test_an_alarm_that_is_not_passed_comes_nearer() -> None:
    """By what was slept."""
    found = run(
        ALARM
        + """
    Clock(start).start()
    signal.setitimer(signal.ITIMER_REAL, 5400)
    time.sleep(3600)
    found["rung"], found["left"] = rung, signal.getitimer(signal.ITIMER_REAL)[0]
    """
    )
    assert found["rung"] == []
    assert 1700 < found["left"] <= 1800
