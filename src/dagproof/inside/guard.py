"""Keep a run inside its world: it may write below its own folders and connect to its own stores, nothing else.

Three fences, each with the same limits. An audit hook refuses what Python code does, with a sentence that names the way
out; the connect functions of the PostgreSQL drivers, whose sockets are the C library's, are wrapped to do the same.
Under it the driver answers for the system calls of C libraries and child processes (:mod:`dagproof.worlds.gate`), and
Landlock is the floor: these see a plain "Permission denied". What is refused is written down where it happens, since
client libraries and shell commands put words of their own into its place.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagproof.errors import DagproofError
from dagproof.inside.exchange import Allowed
from dagproof.inside.landlock import DEVICES, drop_privileges, landlock
from dagproof.processes.relations import group_of, parent_of

#: Sockets of the system's own: its log, and its list of users.
HARMLESS_SOCKETS = ("/dev/log", "/run/systemd/journal/", "/var/lib/sss/pipes/")
#: Sockets that the C library asks for names and users, and does well without: what is behind them asks the network.
NAME_SERVICES = ("/run/nscd/", "/var/run/nscd/", "/run/systemd/resolve/", "/run/dbus/", "/var/run/dbus/")
SHARED_MEMORY = "/dev/shm/"  # noqa: S108 - the place that is meant
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
TWO_PATHS = {"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"}
ONE_PATH = {"os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}
#: What changes a file without writing to it: the event, and where among its arguments a folder's descriptor stands.
CHANGES = {
    "os.chmod": ("mode", 2),
    "os.chown": ("owner", 3),
    "os.utime": ("times", 3),
    "os.setxattr": ("attributes", None),
    "os.removexattr": ("attributes", None),
}
#: Events that take an entry of a folder, and leave alone what a link there leads to.
OF_ENTRIES = {"os.remove", "os.rmdir", "os.mkdir", "os.rename", "os.link", "os.symlink", "shutil.move", "shutil.rmtree"}
LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname"}
NAME_SERVER = 53


class OutsideWorldError(PermissionError, DagproofError):
    """A run tried to reach what is not part of its world."""


class Guard:
    """The fence around one process and all that it starts; it cannot be taken down again.

    Args:
        writable: folders (and files) that may be written.
        floor: what Landlock lets be written: it knows folders by what they are now, and `writable` may be made anew.
        endpoints: ``(host, port)`` that may be connected to.
        beside: of these, what is neither compared nor restored: paths and ``host:port``, each with what is noted when
            a run reaches it (a word, and what people call it).
        paths: paths that lead into the world, and where to.
        note: receives what is refused (the word ``refused``, and the sentence), and what of `beside` is reached.
    """

    def __init__(
        self,
        writable: Iterable[str | Path],
        endpoints: Iterable[tuple[str, int]],
        *,
        floor: Iterable[str | Path] = (),
        beside: Mapping[str, Sequence[str]] | None = None,
        paths: Mapping[str, str] | None = None,
        note: Callable[[str, str], None] = lambda kind, what: None,
    ) -> None:
        self.writable = tuple(os.path.realpath(path) for path in writable)
        self.floor = tuple(os.path.realpath(path) for path in floor) or self.writable
        self.named = tuple((host, port) for host, port in endpoints)
        self.beside = dict(beside or {})
        self.paths = dict(paths or {})
        self.note = note
        self.by = ""
        """The program that does what is looked at now, where it is not the run itself."""
        self.needs_names = any(not _is_local_name(host) for host, _ in self.named)
        """Whether a run has to ask name servers for the addresses of its endpoints."""
        self.endpoints: set[tuple[str, int]] = set()
        self._paths_beside = {os.path.realpath(path): said for path, said in self.beside.items() if path[:1] == "/"}
        self._has_gate = False
        self.root = os.getpid()
        """The process that put the fence up; all that it has started may send signals to each other."""
        self.look_up()

    @classmethod
    def of(cls, allowed: Allowed, note: Callable[[str, str], None]) -> Guard:
        """Return the fence that lets through what is allowed."""
        return cls(
            allowed.writable,
            allowed.endpoints,
            floor=allowed.floor,
            beside=allowed.beside,
            paths=allowed.paths,
            note=note,
        )

    def look_up(self) -> None:
        """Ask for the addresses of the endpoints, which may have changed."""
        self.endpoints |= {(ip, port) for host, port in self.named for ip in addresses(host)}

    def up(self, open_gate: Callable[[], bool] = lambda: False) -> list[str]:
        """Put the fence up for this process, its threads and its future children; return what it does not hold.

        `open_gate` lets another process answer for this one's system calls, and tells whether one does.
        """
        drop_privileges()
        weak = list(landlock(self.floor, sorted({port for _, port in self.endpoints})))
        _wrap_postgres_drivers(self.check_address)  # Landlock knows ports only: another host may have the same one
        sys.addaudithook(self._audit)
        self._has_gate = open_gate()
        return [] if self._has_gate else [*weak, "UDP", "file modes, owners, times and attributes", "shared memory"]

    # --- the limits, which the gate asks for, too

    def check_address(self, host: object, port: object) -> None:
        """Raise :class:`OutsideWorldError` unless the world has a store at `host`:`port`."""
        shown = f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
        found = addresses(str(host)) if self._is_known(str(host)) else set()
        if not any((ip, int(str(port))) in self.endpoints for ip in found):
            self.refuse(
                f"the run tried to connect to {shown}, which is not part of its world; map it to {{postgres}} or to a "
                f"service in [tool.dagproof.world], or list {shown} under allow"
            )
        for name, said in self.beside.items():
            known, _, number = name.rpartition(":")
            if number == str(port) and addresses(known.strip("[]")) & found:
                self.note(*said)

    def check_write(self, path: object, *, follow: bool = True, verb: str = "write") -> None:
        """Raise :class:`OutsideWorldError` unless `path` lies below a writable folder.

        Where it is an entry of its folder that is meant (`follow` is false), where a link leads to does not matter.
        """
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file descriptor: whoever opened it was checked
        text = real_path(os.fsdecode(path), follow=follow)
        if is_harmless(text) or (self._has_gate and text.startswith(SHARED_MEMORY)):
            return  # the gate knows whose shared memory it is
        if not self.is_writable(text):
            self.refuse(
                f"the run tried to {verb} {os.fsdecode(path)}, which is outside its world; give the DAG a folder below "
                f"{{files}} with env, connections or paths in [tool.dagproof.world], or list the path under allow"
            )

    def is_writable(self, path: str) -> bool:
        """Tell whether a real path lies below a writable folder; note it where nobody compares what is there."""
        for folder, said in self._paths_beside.items():
            if _is_below(path, (folder,)):
                self.note(*said)
        return _is_below(path, self.writable)

    def in_world(self, path: str) -> str:
        """Return where a path of a run leads, for a process that does not see what the run sees there."""
        plain = os.path.normpath(path)
        for mapped, target in self.paths.items():
            if plain == mapped or plain.startswith(mapped + "/"):
                return target + plain[len(mapped) :]
        return path

    def is_on_the_way(self, path: str) -> bool:
        """Tell whether a path is a folder above one that leads into the world."""
        return any(mapped.startswith(path.rstrip("/") + "/") for mapped in self.paths)

    def check_unix_socket(self, path: object) -> None:
        """Raise :class:`OutsideWorldError` unless the Unix socket lies in the world, or belongs to the system."""
        text = os.fsdecode(path) if isinstance(path, str | bytes) else ""
        if not text or text[0] == "\0" or text.startswith(HARMLESS_SOCKETS):
            return
        if not self.is_writable(os.path.realpath(text)):
            self.refuse(
                f"the run tried to connect to the socket {text}, which is not part of its world; list it under allow "
                f"in [tool.dagproof.world]"
            )

    def check_name(self, host: object, port: object = None) -> None:
        """Raise :class:`OutsideWorldError` where only the network could know the address of `host`."""
        name = os.fsdecode(host) if isinstance(host, str | bytes) else ""
        if not name or name in {socket.gethostname(), os.uname().nodename} or self._is_known(name):
            return
        shown = f"{name}:{port}" if port else name
        self.refuse(
            f"the run asked for the address of {shown}, which is not part of its world; map it to {{postgres}} or to a "
            f"service in [tool.dagproof.world], list {shown if port else name + ':PORT'} under allow, or take the task "
            f"out with tasks in [tool.dagproof.proofs.DAG_ID]"
        )

    def check_signal(self, pid: int, number: int, sender: int) -> None:
        """Raise :class:`OutsideWorldError` unless the process (or group, where `pid` is below 0) is of this run."""
        group = [other for other in _processes() if group_of(other) == -pid] if pid < -1 else []
        targets = group if pid < 0 else [pid] if pid else []
        if not number or (pid != -1 and all(self.is_mine(target, sender) for target in targets)):
            return
        whom = "all processes" if pid == -1 else f"process group {-pid}" if pid < 0 else f"process {pid}"
        self.refuse(
            f"the run tried to send {signal_name(number)} to {whom}, which is not part of its world; start the "
            f"process in the same run"
        )

    def is_mine(self, pid: int, sender: int) -> bool:
        """Tell whether the worker has started the process; it is not the run's own to end the worker."""
        if pid == self.root:
            return sender == self.root
        while pid > 1:
            pid = parent_of(pid)
            if pid == self.root:
                return True
        return pid == 0  # it is gone, and so is the signal

    def refuse(self, sentence: str) -> None:
        """Write down what is refused, and refuse it."""
        if self.by:  # Python code that a shell starts, say
            sentence = sentence.replace("the run ", f"the run's `{self.by}` ", 1)
        self.note("refused", sentence)
        raise OutsideWorldError(sentence)

    def reaches(self, ip: str, port: int) -> bool:
        """Tell whether an IP address and a port are those of one of the endpoints."""
        return any((one, port) in self.endpoints for one in addresses(ip))

    def _is_known(self, host: str) -> bool:
        return host in {name for name, _ in self.named} or _is_local_name(host)

    # --- what Python does

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[2], int) and args[2] & WRITE_FLAGS:
                self.check_write(args[0])
        elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._check_socket(*args[:2])
        elif event in LOOK_UPS:
            self.check_name(args[0], args[1] if len(args) > 1 else None)
        elif event == "os.truncate":
            self.check_write(args[0])
        elif event in CHANGES:
            what, folder = CHANGES[event]
            if not _is_link(args[0]) and (folder is None or args[folder] in (-1, None)):
                self.check_write(args[0], verb=f"change the {what} of")
        elif event in {"os.kill", "os.killpg"}:
            pid, number = args
            self.check_signal(-pid if event == "os.killpg" else pid, number, os.getpid())
        elif event in ONE_PATH:
            if len(args) < 2 or args[-1] in (-1, None) or not isinstance(args[-1], int):
                self.check_write(args[0], follow=event not in OF_ENTRIES)
        elif event in TWO_PATHS:
            if event not in {"os.rename", "os.link"} or args[3] in (-1, None):
                self.check_write(args[1], follow=event not in OF_ENTRIES)
            if event == "shutil.move" or (event in {"os.rename", "os.link"} and args[2] in (-1, None)):
                self.check_write(args[0], follow=False)

    def _check_socket(self, sock: socket.socket, address: Any) -> None:
        if address is None:
            return
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            if address[1]:  # to port 0 nothing can be sent: so programs ask which of their addresses they would use
                self.check_address(address[0], address[1])
        elif sock.family == getattr(socket, "AF_UNIX", None):
            self.check_unix_socket(address)


def notes_in(path: str) -> Callable[[str, str], None]:
    """Return what writes notes down, a line of JSON each, once in each process that is forked from this one."""
    noted: set[tuple[str, str]] = set()

    def note(kind: str, what: str) -> None:
        if (kind, what) not in noted:
            noted.add((kind, what))
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                os.write(descriptor, json.dumps({"kind": kind, "what": what}).encode() + b"\n")
                os.close(descriptor)

    return note


def is_harmless(path: str) -> bool:
    """Tell whether a real path is that of a device which remembers nothing, or of the process's own."""
    if path.startswith("/dev/"):
        name = path.split("/", 3)[2]
        return name in DEVICES and name != "shm"
    return path.startswith((f"/proc/{os.getpid()}/", "/proc/self/", "/proc/thread-self/"))


def _is_link(path: object) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and os.path.islink(path)


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def real_path(path: str, *, follow: bool) -> str:
    """Return a path without links; the last part of it stays as it is unless links are followed."""
    if follow:
        return os.path.realpath(path)
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def signal_name(number: int) -> str:
    """Return a signal's name, or ``signal 77``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def addresses(host: str) -> set[str]:
    """Return the IP addresses of `host`, each as it is commonly written, and its own name."""
    found = {host}
    with contextlib.suppress(ValueError):
        ip = ipaddress.ip_address(host.partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None)
        if (mapped or ip).is_unspecified:  # connecting to "any address" reaches this machine
            return {"127.0.0.1"} if (mapped or ip).version == 4 else {"::1"}
        return {str(mapped or ip)}
    with contextlib.suppress(OSError, UnicodeError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    return found


def _is_local_name(host: str) -> bool:
    """Tell whether the address of `host` is known without the network: it is one, or the hosts file has it."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host.partition("%")[0])
        return True
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with contextlib.suppress(OSError, UnicodeError):
        lines = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace").splitlines()
        return any(host in line.partition("#")[0].split()[1:] for line in lines)
    return False


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


# --- PostgreSQL drivers, whose sockets no audit hook sees


def _wrap_postgres_drivers(check: Callable[[object, object], None]) -> None:
    """Check host and port before psycopg2 and psycopg connect."""
    with contextlib.suppress(ImportError):
        import psycopg2

        original = psycopg2._connect

        def connect2(dsn: str, *args: Any, **kwargs: Any) -> Any:
            _check_dsn(psycopg2.extensions.parse_dsn(dsn), check)
            return original(dsn, *args, **kwargs)

        psycopg2._connect = connect2
    with contextlib.suppress(ImportError):
        from psycopg import conninfo as parser
        from psycopg import generators

        original3 = generators.connect

        def connect3(conninfo: str, **kwargs: Any) -> Any:
            _check_dsn(parser.conninfo_to_dict(conninfo), check)
            return original3(conninfo, **kwargs)

        generators.connect = connect3


def _check_dsn(parts: Mapping[str, object], check: Callable[[object, object], None]) -> None:
    hosts = str(parts.get("hostaddr") or parts.get("host") or os.environ.get("PGHOST") or "localhost").split(",")
    ports = str(parts.get("port") or os.environ.get("PGPORT") or "5432").split(",")
    for index, host in enumerate(hosts):
        check(host, ports[min(index, len(ports) - 1)])
