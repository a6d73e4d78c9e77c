"""Nothing is left behind, also after Ctrl-C and ``kill -9``.

Whatever outlives a Python object (a directory, a process, a container, a database on somebody's server) is
announced here *before or as* it comes to be, together with the action that undoes it:

    with reaper.temporary_directory() as home:               # removed at the end of the block
        server = subprocess.Popen(...)
        with reaper.kill_later(server.pid):                   # killed at the end of the block
            ...

The orderly way out runs that action in this process. When this process cannot (it was killed), a watchdog does:
a small Python process of its own session, which holds the read end of a pipe, sees it close, and undoes what is
left, newest first. Both ways run the same functions, those in ``ACTIONS``.

The watchdog is this very file run as a script, so the module imports the standard library only. It starts with the
first announcement, never delays an exit, and holds neither our terminal nor our pipes. A forked child owns none of
what its parent announced.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

_TICK = 0.01  # seconds between two looks at a process that is about to end
_PROC = Path("/proc/self/stat")  # Linux tells of processes in files, other systems have `ps`
IN_FLIGHT = 3.0  # seconds in which an engine or a server finishes what a killed client has asked for


# --- the actions: each may be repeated, and takes only what JSON can carry -------------------------------------------


def rmtree(path: str) -> None:
    """Remove a directory tree, also one with folders that somebody made read-only; or a file."""
    for tries_left in reversed(range(100)):
        try:
            if os.path.islink(path) or os.path.isfile(path):
                os.unlink(path)
            else:
                shutil.rmtree(path)
        except FileNotFoundError:
            if not os.path.lexists(path):
                return
        except OSError:
            if not tries_left:
                raise
            _unlock(path)
            # A process that is about to end may still be adding files.
            time.sleep(_TICK)
        else:
            return


def kill(pid: int, started: str, stop: int, grace: float, group: bool) -> None:
    """End a process: first with the signal ``stop``, and with SIGKILL when it still lives after ``grace`` seconds.

    ``started`` tells this process from a later one that was given the same number. With ``group`` the process leads
    a process group, and all of that is ended.
    """
    for number, patience in ((stop, grace), (signal.SIGKILL, 5.0)):
        if not _lives(pid, started, group):
            return
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(pid, number)
        # Looks are counted, not timed: the clock may be somebody's frozen one.
        for _ in range(max(1, round(patience / _TICK))):
            if not _lives(pid, started, group):
                return
            time.sleep(_TICK)


def remove_container(name: str, engine: str | None, patience: float) -> None:
    """Remove a container with its anonymous volumes.

    One that is not there is looked for again for ``patience`` seconds: whoever asked the engine for it may have been
    interrupted before the engine was done. So it is with a database.
    """
    import docker
    import docker.errors

    client = docker.from_env(environment={**os.environ, "DOCKER_HOST": engine} if engine else None)
    with contextlib.closing(client):
        for _ in _looks(patience):
            with contextlib.suppress(docker.errors.NotFound):
                client.containers.get(name).remove(force=True, v=True)
                return


def drop_database(conninfo: str, name: str, patience: float) -> None:
    """Drop a database and end whatever is connected to it."""
    import psycopg
    from psycopg import errors, sql

    with psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as connection:
        for _ in _looks(patience):
            with contextlib.suppress(errors.InvalidCatalogName):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                return


def _looks(patience: float) -> Iterator[None]:
    """One round at once, and more of them for ``patience`` seconds."""
    yield
    for _ in range(round(patience / 0.25)):
        time.sleep(0.25)
        yield


ACTIONS: dict[str, Callable[..., None]] = {
    action.__name__: action for action in (rmtree, kill, remove_container, drop_database)
}


def start_time(pid: int) -> str:
    """When a process started, in the system's own words; empty for one that is gone or a zombie."""
    if not _PROC.exists():
        return _start_time_from_ps(pid)
    state, _, started = _stat(str(pid))
    return "" if state in "ZX" else started


def _stat(pid: str) -> tuple[str, int, str]:
    """State, process group and start time of a process, as Linux has them; state X for one that is gone."""
    try:
        # The name in the second field may hold spaces and brackets: count from the last bracket.
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "X", 0, ""
    return fields[0], int(fields[2]), fields[19]


def _start_time_from_ps(pid: int) -> str:
    """The same on a system without /proc, such as macOS."""
    state, _, started = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout


def _lives(pid: int, started: str, group: bool) -> bool:
    now = start_time(pid)
    if now and now == started:
        return True
    # The number of a dead leader is not given to anybody else while its group has members.
    return group and not now and _group_lives(pid)


def _group_lives(group: int) -> bool:
    if _PROC.exists():
        found = (_stat(entry.name)[:2] for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return any(of == group and state not in "ZX" for state, of in found)
    rows = (line.split() for line in _ps("-A", "-o", "pgid=,stat=").splitlines())
    return any(row[0] == str(group) and not row[1].startswith("Z") for row in rows)


def _unlock(path: str) -> None:
    """Make the folders of our own tree writable. Parents come first, or the walk would not see their children."""
    with contextlib.suppress(OSError):
        Path(path).chmod(stat.S_IRWXU)
    for folder, names, _ in os.walk(path):
        for child in (Path(folder, name) for name in names):
            if not child.is_symlink():
                with contextlib.suppress(OSError):
                    child.chmod(stat.S_IRWXU)


# --- in the process that owns the things -----------------------------------------------------------------------------


class Undo:
    """One announced action. As a context manager it runs the action at the end of the block."""

    def __init__(self, action: str, arguments: dict[str, object]) -> None:
        self.key = secrets.token_hex(8)
        self.action = action
        self.arguments = arguments

    def undo(self) -> None:
        """Run the action now. If it fails it stays announced, and is tried again when this process ends."""
        if self.key in _ours.undos:
            ACTIONS[self.action](**self.arguments)
            self.forget()

    def settle(self) -> None:
        """Say that the thing is there, or will never be: an orderly end need not wait for it to turn up."""
        self.arguments["patience"] = 0.0

    def forget(self) -> None:
        """Keep the thing: nobody will undo it."""
        _ours.forget(self)

    def __enter__(self) -> Undo:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.undo()


class _Announcements:
    """What this process has announced, and the pipe to its watchdog."""

    def __init__(self) -> None:
        self.undos: dict[str, Undo] = {}
        self.lock = threading.RLock()
        self.pipe: int | None = None

    def announce(self, undo: Undo) -> None:
        with self.lock:
            self.undos[undo.key] = undo
            self._tell({"key": undo.key, "action": undo.action, "arguments": undo.arguments})

    def forget(self, undo: Undo) -> None:
        with self.lock:
            if self.undos.pop(undo.key, None):
                self._tell({"key": undo.key})

    def _tell(self, message: dict[str, object]) -> None:
        if self.pipe is None:
            self.pipe = _start_watchdog()
        try:
            _write(self.pipe, message)
        except OSError:
            # Somebody ended the watchdog: a new one is told everything.
            os.close(self.pipe)
            self.pipe = _start_watchdog()
            for undo in self.undos.values():
                _write(self.pipe, {"key": undo.key, "action": undo.action, "arguments": undo.arguments})


def _write(pipe: int, message: dict[str, object]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(pipe, data) :]


def _start_watchdog() -> int:
    """Start this file as a script and return the write end of its pipe, which no other program inherits."""
    read_end, write_end = os.pipe()
    try:
        watchdog = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).resolve())],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C in our terminal is not for it
        )
    finally:
        os.close(read_end)
    # It outlives us on purpose: this keeps Popen from warning that it still runs.
    watchdog.returncode = 0
    return write_end


_ours = _Announcements()


def _disown() -> None:
    """In a forked child: what the parent announced is the parent's, and its pipe must close when the parent ends."""
    global _ours
    inherited, _ours = _ours, _Announcements()  # with a lock of its own, which nobody holds
    if inherited.pipe is not None:
        os.close(inherited.pipe)


@atexit.register
def _undo_what_is_left() -> None:
    """At a normal exit nothing has to wait for the watchdog."""
    for undo in reversed(list(_ours.undos.values())):
        # The watchdog tries again, and has nobody to complain to either.
        with contextlib.suppress(Exception):
            undo.undo()


if hasattr(os, "register_at_fork"):
    # No fork while a watchdog starts: its pipe would stay open in a child that does not know of it.
    os.register_at_fork(
        before=lambda: _ours.lock.acquire(),
        after_in_parent=lambda: _ours.lock.release(),
        after_in_child=_disown,
    )


def later(action: str, **arguments: Any) -> Undo:
    """Announce an action from ``ACTIONS`` that will run when the returned ``Undo`` says so, or this process ends."""
    undo = Undo(action, arguments)
    _ours.announce(undo)
    return undo


def rmtree_later(path: str | os.PathLike[str]) -> Undo:
    """Announce that a directory tree is to be removed. It need not exist yet."""
    return later("rmtree", path=str(Path(path).absolute()))


def kill_later(pid: int, *, stop: signal.Signals = signal.SIGTERM, grace: float = 2.0, group: bool = False) -> Undo:
    """Announce that a process is to be ended: with the signal ``stop``, after ``grace`` seconds with SIGKILL.

    With ``group``, everything in the process group that it leads is ended too. A child of ours stays a zombie until
    its owner waits for it.
    """
    return later("kill", pid=pid, started=start_time(pid), stop=int(stop), grace=grace, group=group)


def remove_container_later(name: str, engine: str | None = None) -> Undo:
    """Announce that a container is to be removed with its volumes. ``engine`` is the Docker engine's address."""
    return later("remove_container", name=name, engine=engine, patience=IN_FLIGHT)


def drop_database_later(conninfo: str, name: str) -> Undo:
    """Announce that a database is to be dropped."""
    return later("drop_database", conninfo=conninfo, name=name, patience=IN_FLIGHT)


@contextlib.contextmanager
def temporary_directory(prefix: str = "dagproof-", parent: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """A new directory of ours alone, in ``parent`` or the system's place for such, removed at the end of the block."""
    path = Path(parent or tempfile.gettempdir()).absolute() / f"{prefix}{secrets.token_hex(8)}"
    # Announced first: there is no moment at which it is there and nobody would remove it.
    with rmtree_later(path):
        path.mkdir(mode=0o700)
        yield path


# --- the watchdog ----------------------------------------------------------------------------------------------------


def watch(pipe: Iterator[str]) -> None:
    """Read announcements until the other side is gone, then undo what is left, newest first."""
    left: dict[str, Any] = {}
    for line in pipe:
        with contextlib.suppress(ValueError):  # the last line may be cut short
            message = json.loads(line)
            if "action" in message:
                left[message["key"]] = message
            else:
                left.pop(message["key"], None)
    for message in reversed(list(left.values())):
        with contextlib.suppress(Exception):  # one failure must not keep the others from being undone
            ACTIONS[message["action"]](**message["arguments"])


if __name__ == "__main__":
    # Our owner's end is the only reason to stop.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(iter(sys.stdin))
