"""The gate: the driver's answers to the system calls of a worker and all that it has started.

What :mod:`dagproof.inside.guard` says to Python code, this says to C libraries and to programs that a shell starts:
each path, address and process is looked at before the kernel does anything. What is refused is written down, since the
caller sees a plain "Permission denied". :mod:`dagproof.inside.seccomp` says how the kernel asks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import threading
from collections.abc import Callable

from dagproof import reaper
from dagproof.inside import seccomp
from dagproof.inside.guard import (
    NAME_SERVER,
    NAME_SERVICES,
    SHARED_MEMORY,
    Guard,
    OutsideWorldError,
    is_harmless,
    real_path,
)
from dagproof.inside.seccomp import Call
from dagproof.worlds import callers
from dagproof.worlds.connects import Connects

_AT_NOFOLLOW, _AT_FOLLOW = 0x100, 0x400
_LONGEST_ADDRESS = 128
_MOST_MESSAGES, _MESSAGE = 64, struct.Struct("=QIxxxx40x8x")
_IPC_CREATE = 0o1000
#: Where a call has its paths: pairs of the argument with the folder's descriptor (None: the current folder) and of that
#: with the path; whether a link at its end is followed; and what the call does to the path.
_Paths = tuple[tuple[tuple[int | None, int], ...], bool, str]
_WRITE, _MODE, _OWNER, _TIMES, _ATTRIBUTES = (
    "write",
    "change the mode of",
    "change the owner of",
    "change the times of",
    "change the attributes of",
)
_AT_PATH: dict[str, _Paths] = {
    "open": (((None, 0),), True, _WRITE),
    "creat": (((None, 0),), True, _WRITE),
    "openat": (((0, 1),), True, _WRITE),
    "truncate": (((None, 0),), True, _WRITE),
    "mkdir": (((None, 0),), False, _WRITE),
    "mkdirat": (((0, 1),), False, _WRITE),
    "mknod": (((None, 0),), False, _WRITE),
    "mknodat": (((0, 1),), False, _WRITE),
    "unlink": (((None, 0),), False, _WRITE),
    "unlinkat": (((0, 1),), False, _WRITE),
    "rmdir": (((None, 0),), False, _WRITE),
    "rename": (((None, 0), (None, 1)), False, _WRITE),
    "renameat": (((0, 1), (2, 3)), False, _WRITE),
    "renameat2": (((0, 1), (2, 3)), False, _WRITE),
    "link": (((None, 0), (None, 1)), False, _WRITE),
    "linkat": (((0, 1), (2, 3)), False, _WRITE),
    "symlink": (((None, 1),), False, _WRITE),
    "symlinkat": (((1, 2),), False, _WRITE),
    "chmod": (((None, 0),), True, _MODE),
    "fchmodat": (((0, 1),), True, _MODE),
    "fchmodat2": (((0, 1),), True, _MODE),
    "chown": (((None, 0),), True, _OWNER),
    "lchown": (((None, 0),), False, _OWNER),
    "fchownat": (((0, 1),), True, _OWNER),
    "utime": (((None, 0),), True, _TIMES),
    "utimes": (((None, 0),), True, _TIMES),
    "futimesat": (((0, 1),), True, _TIMES),
    "utimensat": (((0, 1),), True, _TIMES),
    "setxattr": (((None, 0),), True, _ATTRIBUTES),
    "lsetxattr": (((None, 0),), False, _ATTRIBUTES),
    "setxattrat": (((0, 1),), True, _ATTRIBUTES),
    "removexattr": (((None, 0),), True, _ATTRIBUTES),
    "lremovexattr": (((None, 0),), False, _ATTRIBUTES),
    "removexattrat": (((0, 1),), True, _ATTRIBUTES),
}
#: Calls that may say in an argument that a link at the path's end is meant itself.
_FLAGS = {"fchmodat2": 3, "fchownat": 4, "utimensat": 3, "setxattrat": 2, "removexattrat": 2}
_OPEN_FLAGS = {"open": 1, "openat": 2}
_AT_DESCRIPTOR = {"fchmod": _MODE, "fchown": _OWNER, "fsetxattr": _ATTRIBUTES, "fremovexattr": _ATTRIBUTES}
_SHARED = {"shmget": (0, 2), "semget": (0, 2), "msgget": (0, 1), "mq_open": (None, 1)}


class Gate:
    """Answers for one worker, on a thread of its own, for as long as anything lives that the worker has started.

    Args:
        guard: the limits; its `note` receives what is refused and what is reached.
        worker: the worker's process id.
        channel: where the worker asks for a gate, or closes its end.
    """

    def __init__(self, guard: Guard, worker: int, channel: socket.socket) -> None:
        self._guard = guard
        self._worker = worker
        self.connects: Connects | None = None  # who counts the connections that a run opens
        guard.root = worker
        self._abstract: set[bytes] = set()
        self._shared: dict[str, reaper.Undo] = {}
        self._channel = channel
        threading.Thread(target=self._serve, name="gate", daemon=True).start()

    def close(self) -> None:
        """Remove what is left of a worker that has ended, and wait for it no longer."""
        self.sweep()
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def sweep(self) -> list[str]:
        """Remove what the runs so far have left in shared memory; return its paths."""
        left = [path for path in list(self._shared) if os.path.lexists(path)]
        for path in list(self._shared):
            self._shared.pop(path).undo()
        return left

    def _serve(self) -> None:
        with self._channel as channel:
            line = channel.recv(64)
            if not line:
                return
            channel.sendall(b"yes" if _may_look_into(self._worker, int(line)) else b"no")
            line = channel.recv(64)
            if not line:
                return
            listener = seccomp.descriptor_of(self._worker, int(line))
            channel.sendall(b"open")
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll()):
            seccomp.answer_next(listener, self._answer)
        os.close(listener)

    def _answer(self, call: Call) -> int:
        try:
            self._check(call)
        except OutsideWorldError:
            return errno.EPERM if "kill" in call.name or "sig" in call.name else errno.EACCES
        except _NotNeededError:
            return errno.EACCES
        except _PlannedError as error:
            return int(error.args[0])
        except OSError as error:  # what the caller points at is not there: the kernel will say so, too
            return 0 if error.errno in {errno.EIO, errno.ENOENT, errno.ESRCH, errno.EBADF} else errno.EACCES
        except Exception as error:  # whoever asks waits for an answer, and the next one does, too
            self._guard.note("refused", f"the run called {call.name}, which could not be judged ({error!r})")
            return errno.EPERM
        return 0

    def _check(self, call: Call) -> None:
        if call.name in _AT_PATH:
            self._check_paths(call)
        elif call.name in _AT_DESCRIPTOR:
            self._check_path(call, callers.file_of(call.pid, call.arguments[0]), _AT_DESCRIPTOR[call.name])
        elif call.name in _SHARED:
            self._check_shared(call)
        elif call.name in _SOCKETS:
            _SOCKETS[call.name](self, call)
        else:
            self._check_signal(call)

    # --- files

    def _check_paths(self, call: Call) -> None:
        places, follow, verb = _AT_PATH[call.name]
        if call.name in _FLAGS and call.arguments[_FLAGS[call.name]] & _AT_NOFOLLOW:
            follow = False
        flags = call.arguments[_OPEN_FLAGS[call.name]] if call.name in _OPEN_FLAGS else os.O_CREAT
        if flags & os.O_PATH and flags & os.O_PATH == os.O_PATH:
            return
        for folder, argument in places:
            descriptor = callers.AT_CWD if folder is None else callers.signed(call.arguments[folder])
            path = callers.path_of(call.pid, descriptor, call.arguments[argument])
            self._check_path(call, path, verb, follow=follow, creates=bool(flags & os.O_CREAT))

    def _check_path(self, call: Call, path: str, verb: str, *, follow: bool = True, creates: bool = False) -> None:
        if path[:1] != "/" or path.endswith(" (deleted)"):
            return  # a pipe, a socket, or a file that nobody else can find
        real = real_path(self._guard.in_world(path), follow=follow)
        if is_harmless(real) or self._is_of_its_own(real):
            return
        if real.startswith(SHARED_MEMORY):
            self._check_shared_memory(call, real, creates=creates)
            return
        if call.name in ("mkdir", "mkdirat") and (os.path.isdir(real) or self._guard.is_on_the_way(real)):
            return  # `mkdir -p` tries each folder on its way, and the kernel says that it is there
        if not self._guard.is_writable(real):
            self._refuse(call, path, verb)

    def _refuse(self, call: Call, path: str, verb: str) -> None:
        self._of(call).check_write(path, follow=False, verb=verb)

    def _of(self, call: Call) -> Guard:
        """Return the guard, which then names the program that does it, where that is not the run itself."""
        self._guard.by = self._program(call)
        return self._guard

    def _program(self, call: Call) -> str:
        """Return the program that makes a call; an empty text for the run itself."""
        programs = [callers.program_of(pid) for pid in (call.pid, self._worker)]
        return "" if programs[0] in ("", programs[1]) else programs[0]

    def _is_of_its_own(self, path: str) -> bool:
        """Tell whether a path is a process's own in /proc: a run's, not the machine's."""
        parts = path.split("/", 3)
        return parts[1] == "proc" and parts[2].isdigit() and self._guard.is_mine(int(parts[2]), self._worker)

    def _check_shared_memory(self, call: Call, path: str, *, creates: bool) -> None:
        """Let a run have shared memory of its own, which is gone after it."""
        if any(path == mine or path.startswith(mine + "/") for mine in self._shared):
            if "unlink" in call.name and not creates and path in self._shared:
                self._shared.pop(path).forget()
            return
        if creates and not os.path.lexists(path):
            self._shared[path] = reaper.rmtree_later(path)
            return
        self._of(call).refuse(
            f"the run tried to write {path}, which another program has created; use another name for the shared memory"
        )

    def _check_shared(self, call: Call) -> None:
        key, flags = _SHARED[call.name]
        is_private = key is not None and call.arguments[key] == 0
        if is_private or call.arguments[flags] & (os.O_CREAT if key is None else _IPC_CREATE):
            self._of(call).refuse(
                f"the run tried to create something that outlives it ({call.name}: System V shared memory, "
                f"semaphores or messages, or a POSIX queue); use multiprocessing, or a file below {{files}}"
            )

    # --- sockets

    def _check_new_socket(self, call: Call) -> None:
        family, kind = call.arguments[0], call.arguments[1] & 0xF
        if family not in _FAMILIES or (kind == socket.SOCK_RAW and family != socket.AF_NETLINK):
            self._of(call).refuse(
                f"the run tried to open a raw socket, or one of a family other than TCP, UDP and Unix (family "
                f"{family}), which a world does not allow"
            )

    def _check_bind(self, call: Call) -> None:
        address = callers.memory(call.pid, call.arguments[1], min(call.arguments[2], _LONGEST_ADDRESS))
        if callers.is_abstract(address):
            self._abstract.add(address)

    def _check_connect(self, call: Call) -> None:
        self._check_address(call, call.arguments[0], call.arguments[1], call.arguments[2])

    def _check_sendto(self, call: Call) -> None:
        self._check_address(call, call.arguments[0], call.arguments[4], call.arguments[5])

    def _check_sendmsg(self, call: Call) -> None:
        many = min(call.arguments[2], _MOST_MESSAGES) if call.name == "sendmmsg" else 1
        header = _MESSAGE.size if call.name == "sendmmsg" else _MESSAGE.size - 8
        data = callers.memory(call.pid, call.arguments[1], header * many)
        for number in range(many):
            name, length = struct.unpack_from("=QI", data, header * number)
            if name:
                self._check_address(call, call.arguments[0], name, length)

    def _check_address(self, call: Call, descriptor: int, pointer: int, length: int) -> None:
        address = callers.memory(call.pid, pointer, min(length & 0xFFFFFFFF, _LONGEST_ADDRESS))
        if len(address) < 2:
            return
        family = int.from_bytes(address[:2], "little")
        if family == socket.AF_UNIX:
            self._check_unix(call, address)
        elif family == socket.AF_INET and len(address) >= 8:
            self._check_ip(call, descriptor, socket.inet_ntop(family, address[4:8]), address[2:4])
        elif family == socket.AF_INET6 and len(address) >= 24:
            self._check_ip(call, descriptor, socket.inet_ntop(family, address[8:24]), address[2:4])

    def _check_ip(self, call: Call, descriptor: int, host: str, port: bytes) -> None:
        number = int.from_bytes(port, "big")
        if not number or (number == NAME_SERVER and self._guard.needs_names):
            return
        if number == NAME_SERVER:
            self._of(call).refuse(
                f"the run asked the name server {host}:{number} for an address; a world resolves only the "
                f"names that it declares; list the HOST:PORT that it needs under allow in [tool.dagproof.world], or "
                f"take the task out with tasks in [tool.dagproof.proofs.DAG_ID]"
            )
        if self._is_reachable(host, number):
            self._guard.check_address(host, number)
            self._count(call, descriptor, host, number)
            return
        if self._only_asks_which(call, descriptor, host, number):
            raise _NotNeededError
        self._of(call).check_address(host, number)

    def _count(self, call: Call, descriptor: int, host: str, port: int) -> None:
        """Count a connection, and refuse it where that is planned.

        Raises:
            _PlannedError: it is refused.
        """
        connects = self.connects
        if connects is None or call.name != "connect" or not self._is_stream(call, descriptor):
            return
        if number := connects.opened(host, port, self._program(call).partition(" ")[0].rpartition("/")[2]):
            raise _PlannedError(number)

    def _is_reachable(self, host: str, port: int) -> bool:
        """Tell whether an address is one of the world's, whose names may have got others meanwhile."""
        if self._guard.reaches(host, port):
            return True
        if self._guard.needs_names:
            self._guard.look_up()
        return self._guard.reaches(host, port)

    def _only_asks_which(self, call: Call, descriptor: int, host: str, port: int) -> bool:
        """Tell whether the C library just tries out which of the addresses of ``localhost`` it could use."""
        if call.name != "connect" or host not in {"127.0.0.1", "::1"}:
            return False
        if not any(self._guard.reaches(other, port) for other in ("127.0.0.1", "::1")):
            return False
        return not self._is_stream(call, descriptor)

    def _is_stream(self, call: Call, descriptor: int) -> bool:
        copy = seccomp.descriptor_of(callers.process_of(call.pid), descriptor)
        with socket.socket(fileno=copy) as sock:
            return sock.type != socket.SOCK_DGRAM

    def _check_unix(self, call: Call, address: bytes) -> None:
        if len(address) == 2 or (callers.is_abstract(address) and address in self._abstract):
            return
        if callers.is_abstract(address):
            name = address[3:].rstrip(b"\0").decode("utf-8", "replace")
            self._of(call).refuse(
                f"the run tried to connect to the abstract socket @{name}, which is not part of its world; start "
                f"what listens there in the same run"
            )
        text = os.fsdecode(address[2:].partition(b"\0")[0])
        path = text if text[:1] == "/" else os.path.join(callers.folder_of(call.pid, callers.AT_CWD), text)
        if os.path.realpath(path).startswith(NAME_SERVICES) or path.startswith(NAME_SERVICES):
            raise _NotNeededError
        self._of(call).check_unix_socket(path)

    # --- processes

    def _check_signal(self, call: Call) -> None:
        target, number = callers.signed(call.arguments[0]), call.arguments[1]
        sender = callers.process_of(call.pid)
        if call.name in {"tgkill", "rt_tgsigqueueinfo"}:
            number = call.arguments[2]
        elif call.name == "tkill":
            target = callers.process_of(target)
        elif call.name == "pidfd_send_signal":
            target = callers.process_behind(call.pid, call.arguments[0])
        self._of(call).check_signal(target, number, sender)


_FAMILIES = {int(socket.AF_UNIX), int(socket.AF_INET), int(socket.AF_INET6), 16}  # the last is netlink's
_SOCKETS: dict[str, Callable[[Gate, Call], None]] = {
    "socket": Gate._check_new_socket,
    "bind": Gate._check_bind,
    "connect": Gate._check_connect,
    "sendto": Gate._check_sendto,
    "sendmsg": Gate._check_sendmsg,
    "sendmmsg": Gate._check_sendmsg,
}


class _NotNeededError(Exception):
    """It is refused without a word: the C library does well without."""


class _PlannedError(Exception):
    """The call fails with the error number in its argument, because a step wants it to."""


def _may_look_into(pid: int, descriptor: int) -> bool:
    """Tell whether this process may read the memory of that one, and have its descriptors."""
    try:
        os.close(seccomp.descriptor_of(pid, descriptor))
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY))
    except (AttributeError, OSError):
        return False
    return True


def ask_for_gate(channel: socket.socket) -> bool:
    """In the worker: let the other end of `channel` answer for this process from here on; tell whether it does."""
    with channel:
        try:
            channel.sendall(b"%d\n" % channel.fileno())
            if channel.recv(8) != b"yes":
                return False
            listener = seccomp.install()
        except OSError:
            return False
        channel.send(b"%d\n" % listener)  # a call that nobody is asked about
        is_open = channel.recv(8) == b"open"
        os.close(listener)
        return is_open
