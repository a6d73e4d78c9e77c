"""The machine a run believes it is on. Two machines must not give two results."""

from __future__ import annotations

import os
import platform
import socket
import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Machine:
    """What may differ between two workers of one Airflow installation.

    `hash_seed` takes effect when an interpreter starts (PYTHONHASHSEED), the rest when a run starts.
    """

    name: str
    hostname: str
    timezone: str
    hash_seed: int

    def become(self) -> None:
        """Make this process see the machine's name and time zone."""
        os.environ["TZ"] = self.timezone
        os.environ["HOSTNAME"] = self.hostname
        time.tzset()
        socket.gethostname = lambda: self.hostname
        socket.getfqdn = lambda name="": name or self.hostname
        platform.node = lambda: self.hostname
        uname = os.uname()
        os.uname = lambda: os.uname_result((uname.sysname, self.hostname, *uname[2:]))

    def to_json(self) -> dict[str, Any]:
        """Return the machine as plain data."""
        return asdict(self)


def differences(one: Machine, other: Machine) -> str:
    """Return in what a program can tell two machines apart, in one line for people."""
    pairs = {
        "time zone": (one.timezone, other.timezone),
        "PYTHONHASHSEED": (one.hash_seed, other.hash_seed),
        "host name": (one.hostname, other.hostname),
    }
    return ", ".join(f"{what} {mine} / {others}" for what, (mine, others) in pairs.items() if mine != others)


HERE = Machine("here", "worker-1", "UTC", 0)
ELSEWHERE = Machine("elsewhere", "worker-2.example.org", "Pacific/Chatham", 1)
