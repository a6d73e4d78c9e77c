"""Let another process answer for system calls of this one: seccomp's user notifications (Linux 5.5).

A filter, which every process started from here on inherits, asks a listener about each call that could reach outside
the world; all other calls run at full speed. The listener belongs to the driver, which reads paths and addresses from
the caller's memory and lets the kernel go on, or fail the call. A filter alone sees numbers, not paths. libseccomp, a C
library that a wheel would have to bring along, would save little: the program here is a list of comparisons.

A thread that changes the memory meanwhile could deceive the listener: this keeps programs that are wrong inside, not
programs that are hostile. Landlock is the floor under it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

#: Calls about which the listener is asked: names, and for each machine the number.
NUMBERS = {
    "x86_64": {
        "open": 2, "creat": 85, "openat": 257, "truncate": 76,
        "mkdir": 83, "mkdirat": 258, "mknod": 133, "mknodat": 259,
        "unlink": 87, "unlinkat": 263, "rmdir": 84,
        "rename": 82, "renameat": 264, "renameat2": 316,
        "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266,
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452,
        "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260,
        "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280,
        "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "setxattrat": 463,
        "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "removexattrat": 466,
        "socket": 41, "connect": 42, "bind": 49, "sendto": 44, "sendmsg": 46, "sendmmsg": 307,
        "kill": 62, "tkill": 200, "tgkill": 234, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
        "pidfd_send_signal": 424, "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240,
    },
    "aarch64": {
        "openat": 56, "truncate": 45, "mkdirat": 34, "mknodat": 33, "unlinkat": 35,
        "renameat": 38, "renameat2": 276, "linkat": 37, "symlinkat": 36,
        "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "fchown": 55, "fchownat": 54, "utimensat": 88,
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "setxattrat": 463,
        "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16, "removexattrat": 466,
        "socket": 198, "connect": 203, "bind": 200, "sendto": 206, "sendmsg": 211, "sendmmsg": 269,
        "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
        "pidfd_send_signal": 424, "shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180,
    },
}  # fmt: skip
#: Calls that do what others do by a way that no filter sees through; programs take the other way where these fail.
UNSEEN = {"openat2": 437, "io_uring_setup": 425}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_PIDFD_GETFD = 438
_X32 = 0x40000000  # numbers of a second interface of the same machine

_SET_FILTER = 1
_SPEC_ALLOW, _NEW_LISTENER, _WAIT_KILLABLE = 1 << 2, 1 << 3, 1 << 5
_ALLOW, _NOTIFY, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_LOAD, _JUMP_IF, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARGUMENTS = 0, 4, 16
_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
_CONTINUE = 1
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
#: The argument of a call that says whether it is about anything of ours, and the bits that then are set in it.
_ONLY_WITH = {"open": (1, WRITING), "openat": (2, WRITING), "sendto": (4, 0xFFFFFFFF)}


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))


#: What stands in the unused third argument of a `kill` that nobody is asked about: the worker has to end what its runs
#: have started also when the listener has gone.
_UNASKED = 0x6461676B


@dataclass(frozen=True)
class Call:
    """A system call that waits for an answer."""

    id: int
    pid: int
    name: str
    arguments: tuple[int, ...]


def is_known() -> bool:
    """Tell whether this machine's calls are known by their numbers."""
    return sys.platform == "linux" and platform.machine() in NUMBERS


def install() -> int:
    """Put the filter on this process and all that it will start; return the listener's descriptor.

    Raises:
        OSError: the kernel has no notifications, or another listener is there already.
    """
    if not is_known():
        raise OSError(errno.ENOSYS, "no system calls known of this machine")
    machine = platform.machine()
    program = _program(machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    filters = _Filter(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges: an ordinary user may filter only then
    for flags in (_NEW_LISTENER | _SPEC_ALLOW | _WAIT_KILLABLE, _NEW_LISTENER | _SPEC_ALLOW, _NEW_LISTENER):
        listener = int(libc.syscall(_SECCOMP[machine], _SET_FILTER, flags, ctypes.byref(filters)))
        if listener >= 0:
            return listener
        if ctypes.get_errno() != errno.EINVAL:
            break
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _program(machine: str) -> bytes:
    """Return the filter: a list of comparisons with the call's number."""
    refuse = _ERRNO | errno.ENOSYS
    steps = [(_LOAD, 0, 0, _ARCH), (_JUMP_IF, 1, 0, _AUDIT_ARCH[machine]), (_RETURN, 0, 0, refuse)]
    steps += [(_LOAD, 0, 0, _NR), (_JUMP_GE, 0, 1, _X32), (_RETURN, 0, 0, refuse)]
    for number in UNSEEN.values():
        steps += [(_JUMP_IF, 0, 1, number), (_RETURN, 0, 0, refuse)]
    kill = NUMBERS[machine]["kill"]
    unasked = [(_LOAD, 0, 0, _ARGUMENTS + 16), (_JUMP_IF, 0, 1, _UNASKED), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _NR)]
    steps += [(_JUMP_IF, 0, len(unasked), kill), *unasked]
    for name, number in NUMBERS[machine].items():
        if name not in _ONLY_WITH:
            steps += [(_JUMP_IF, 0, 1, number), (_RETURN, 0, 0, _NOTIFY)]
            continue
        argument, bits = _ONLY_WITH[name]
        low = _ARGUMENTS + 8 * argument
        ask = [(_LOAD, 0, 0, low), (_JUMP_SET, 0, 1, bits), (_RETURN, 0, 0, _NOTIFY)]
        if bits == 0xFFFFFFFF:  # an address, which has a second half
            ask += [(_LOAD, 0, 0, low + 4), (_JUMP_SET, 0, 1, bits), (_RETURN, 0, 0, _NOTIFY)]
        steps += [(_JUMP_IF, 0, len(ask) + 1, number), *ask, (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def kill_unasked(pid: int, number: int) -> None:
    """Send a signal to a process (or to group `-pid`) about which no listener is asked.

    Raises:
        OSError: there is no such process.
    """
    if not is_known():
        os.kill(pid, number)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(NUMBERS[platform.machine()]["kill"], pid, number, _UNASKED) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def descriptor_of(pid: int, number: int) -> int:
    """Return a copy of another process's descriptor.

    Raises:
        OSError: this process may not look into that one, or the kernel is older than 5.6.
    """
    pidfd = os.pidfd_open(pid)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        copy = int(libc.syscall(_PIDFD_GETFD, pidfd, number, 0))
        if copy < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return copy
    finally:
        os.close(pidfd)


def answer_next(listener: int, answer: Callable[[Call], int]) -> None:
    """Take the next call from the listener and answer it: `answer` returns 0 to let it go on, else an error number."""
    buffer = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer)
    except OSError:
        return  # the caller was killed meanwhile
    identity, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
    error = errno.EPERM
    try:
        error = answer(Call(identity, pid, _NAMES[number], tuple(arguments)))
    finally:
        with contextlib.suppress(OSError):  # it is gone
            reply = bytearray(_ANSWER.pack(identity, 0, -error, 0 if error else _CONTINUE))
            fcntl.ioctl(listener, _SEND, reply)


def is_waiting(listener: int, call: Call) -> bool:
    """Tell whether the call still waits: only then is its process id not another process's by now."""
    try:
        fcntl.ioctl(listener, _IS_VALID, struct.pack("=Q", call.id))
    except OSError:
        return False
    return True


_NAMES = {number: name for name, number in NUMBERS.get(platform.machine(), {}).items()}
