"""The machine a run believes it is on. Two machines must not give two results."""

from __future__ import annotations

import glob
import os
import pathlib
import platform
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from dagproof.inside.plain import Plain


@dataclass(frozen=True)
class Machine(Plain):
    """What may differ between two workers of one Airflow installation.

    `hash_seed` takes effect when an interpreter starts (PYTHONHASHSEED), the rest when a run starts. Where it `turns`,
    rows that are there already, and what a folder holds, come in the reverse order: nobody has promised any.
    """

    name: str
    hostname: str
    timezone: str
    hash_seed: int
    turns: bool = False
    renumbers: bool = False
    """Whether sequences begin elsewhere there, so that what depends on generated keys comes out differently."""

    @property
    def place(self) -> str:
        """What tells its runs apart from those on other machines, and from its own where it turns nothing."""
        name = f"{self.name}, renumbered" if self.renumbers else self.name
        return f"{name}, turned" if self.turns else name

    def in_order(self) -> Machine:
        """Return the same machine with everything in its usual order."""
        return replace(self, turns=False)

    def with_other_numbers(self) -> Machine:
        """Return the same machine with sequences that begin elsewhere."""
        return replace(self, renumbers=True)

    def become(self) -> None:
        """Make this process see the machine's name and time zone, and its folders in its order."""
        if self.turns:
            _turn_folders()
        os.environ["TZ"] = self.timezone
        os.environ["HOSTNAME"] = self.hostname
        time.tzset()
        socket.gethostname = lambda: self.hostname
        socket.getfqdn = lambda name="": name or self.hostname
        platform.node = lambda: self.hostname
        uname = os.uname()
        os.uname = lambda: os.uname_result((uname.sysname, self.hostname, *uname[2:]))


def differences(one: Machine, other: Machine) -> str:
    """Return in what a program can tell two machines apart, in one line for people."""
    pairs = {
        "time zone": (one.timezone, other.timezone),
        "PYTHONHASHSEED": (one.hash_seed, other.hash_seed),
        "host name": (one.hostname, other.hostname),
    }
    found = [f"{what} {mine} / {others}" for what, (mine, others) in pairs.items() if mine != others]
    turned = ["order of upstream rows", "order of directory listings"]
    return ", ".join([*found, *(turned if one.turns != other.turns else [])])


class _Scan:
    """What ``os.scandir`` gives, the other way round."""

    def __init__(self, entries: Iterable[os.DirEntry[Any]]) -> None:
        self._entries = iter(list(entries)[::-1])

    def __iter__(self) -> _Scan:
        return self

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __enter__(self) -> _Scan:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget what is left."""
        self._entries = iter(())


def _turn_folders() -> None:
    """Let Python see the entries of each folder in the reverse of the order in which the system gives them."""
    listdir, scandir = os.listdir, os.scandir

    def turned(path: Any = ".") -> list[Any]:
        return listdir(path)[::-1]

    def scanned(path: Any = ".") -> _Scan:
        with scandir(path) as entries:
            return _Scan(entries)

    for replacement, original in ((turned, listdir), (scanned, scandir)):
        for supported in (os.supports_fd, os.supports_dir_fd):
            if original in supported:
                supported.add(replacement)
    os.listdir, os.scandir = turned, scanned  # type: ignore[assignment]  # they take what the originals take
    if hasattr(pathlib, "_NormalAccessor"):  # Python 3.10: paths keep what was there when pathlib was imported
        pathlib._NormalAccessor.listdir = staticmethod(turned)
        pathlib._NormalAccessor.scandir = staticmethod(scanned)
    globber = getattr(glob, "_StringGlobber", None)
    if globber is not None and globber.scandir is scandir:  # Python 3.13: so does glob
        globber.scandir = staticmethod(scanned)


HERE = Machine("here", "worker-1", "UTC", 0)
ELSEWHERE = Machine("elsewhere", "worker-2.example.org", "Pacific/Chatham", 1, turns=True)
