"""What the kernel holds by itself: Landlock, and the privileges that no run needs.

https://docs.kernel.org/userspace-api/landlock.html: files since Linux 5.13, TCP ports since 6.7, signals and abstract
Unix sockets since 6.12. Processes outside are out of reach of ptrace and of /proc/PID/mem with all of them.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from typing import Any

#: Devices that anything may write; the rest of /dev is the machine's.
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_RULE_PATH, _RULE_PORT = 1, 2
_FS_WRITE_FILE, _FS_TRUNCATE, _FS_REFER = 1 << 1, 1 << 14, 1 << 13
_FS_DIRECTORY = sum(1 << bit for bit in range(4, 13))  # remove and make files, folders, links, sockets, fifos
_NET_CONNECT_TCP = 1 << 1
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 38, 24
_CAPABILITIES_VERSION = 0x20080522
#: Immutable files, network, raw packets, modules, raw disks, ptrace, accounting, mounts, reboot, clock, terminals,
#: device files, audit, system log, BPF, performance counters, checkpoints.
_PRIVILEGES = (9, 12, 13, 16, 17, 19, 20, 21, 22, 25, 26, 27, 30, 34, 35, 37, 38, 39, 40)


def landlock(writable: Iterable[str], ports: Iterable[int]) -> tuple[str, ...]:
    """Confine this process with Landlock as far as the kernel has it; return what it does not hold, for people."""
    everything = ("files", "TCP", "signals", "abstract Unix sockets")
    if sys.platform != "linux":
        return everything
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return everything
    files = _FS_WRITE_FILE | _FS_DIRECTORY | (_FS_REFER if abi >= 2 else 0) | (_FS_TRUNCATE if abi >= 3 else 0)
    tcp = _NET_CONNECT_TCP if abi >= 4 else 0
    scopes = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if abi >= 6 else 0
    attribute = struct.pack("=QQQ", files, tcp, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = libc.syscall(_CREATE_RULESET, attribute, len(attribute), 0)
    if ruleset < 0:
        return everything
    try:
        for path in (*writable, *(f"/dev/{name}" for name in DEVICES), "/proc/self"):
            _allow_below(libc, ruleset, path, files)
        for port in ports if tcp else ():
            libc.syscall(_ADD_RULE, ruleset, _RULE_PORT, struct.pack("=QQ", tcp, port), 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        confined = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)
    if not confined:
        return everything
    return everything[4:] if scopes else everything[2:] if tcp else everything[1:]


def _allow_below(libc: Any, ruleset: int, path: str, rights: int) -> None:
    if not os.path.exists(path):
        return
    if not os.path.isdir(path):
        rights &= _FS_WRITE_FILE | _FS_TRUNCATE
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def drop_privileges() -> None:
    """Give up what only root may do to the machine: its clock, mounts, network, devices, modules, disks."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for privilege in _PRIVILEGES:
        libc.prctl(_PR_CAPBSET_DROP, privilege, 0, 0, 0)  # an ordinary user may not, and has none to lose
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    sets = ctypes.create_string_buffer(24)
    if libc.capget(header, sets) != 0:
        return
    kept = list(struct.unpack("=6I", sets.raw))  # effective, permitted, inheritable; then the upper halves of them
    for privilege in _PRIVILEGES:
        for number in range(3):
            kept[number + 3 * (privilege // 32)] &= ~(1 << privilege % 32)
    libc.capset(header, struct.pack("=6I", *kept))
