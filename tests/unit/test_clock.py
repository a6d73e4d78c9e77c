"""The world's clock: time is skipped, not waited for. In a process of its own, which it moves for good."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

START = """
    import json, sys, time
    from datetime import datetime, timedelta, timezone
    from dagproof.worlds.clock import Clock
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
