"""The ways out of a world, each from Python, through ctypes and from a shell, behind the gate; and what stays open."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dagproof.inside.guard import Guard
from dagproof.worlds.gate import Gate

#: The folder of this Python may be closed to another user.
PYTHON = "/proc/self/exe" if sys.platform == "linux" else sys.executable
PROGRAM = """
import ctypes, json, os, pathlib, shutil, signal, socket, struct, subprocess, sys, time
from dagproof.worlds.gate import ask_for_gate
from dagproof.inside.guard import Guard
inside, outside, port, other, datagrams, bystander = json.loads(sys.argv[1])
inside, outside = pathlib.Path(inside), pathlib.Path(outside)
guard = Guard([inside], [("127.0.0.1", port)])
not_held = guard.up(lambda: ask_for_gate(socket.socket(fileno=int(sys.argv[2]))))
libc = ctypes.CDLL(None, use_errno=True)

def c(name, *arguments):
    values = [os.fsencode(a) if isinstance(a, (str, pathlib.Path)) else a for a in arguments]
    if getattr(libc, name)(*values) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def shell(command):
    subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=20)

def at(where, number):
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(number), socket.inet_aton(where))

def c_connect(kind, address):
    with socket.socket(*kind) as sock:
        c("connect", sock.fileno(), address, len(address))
        c("send", sock.fileno(), b"x", 1, 0)

def behave(body):
    try:
        exec(body, globals())
    except subprocess.CalledProcessError as error:
        return "denied: " + error.stderr.decode()
    except OSError as error:
        return ("refused: " if type(error).__name__ == "OutsideWorldError" else "denied: ") + str(error)
    return "done"

if child := os.fork():  # a run is a child of the process that put up the fence
    os.waitpid(child, 0)
    os._exit(0)
os.setsid()
print(json.dumps({"not_held": not_held} | {name: behave(body) for name, body in json.load(sys.stdin).items()}))
"""

CONNECT, SEND = "the run tried to connect to 127.0.0.1:{other}", "the run tried to connect to 127.0.0.1:{datagrams}"
MODE, OWNER = "the run tried to change the mode of {file}", "the run tried to change the owner of {file}"
TIMES, ATTRIBUTES = "the run tried to change the times of {file}", "the run tried to change the attributes of {file}"
SIGNAL = "the run tried to send SIGTERM to process {bystander}"
MEMORY = "the run tried to write /dev/shm/{shared}, which another program has created"
ABSTRACT = "the run tried to connect to the abstract socket @{abstract}"
#: Each way out: what does it, and the sentence that is noted (none where the kernel refuses it by itself).
WAYS: dict[str, tuple[str, str]] = {
    "tcp-python": ("socket.create_connection(('127.0.0.1', other), 5)", CONNECT),
    "tcp-ctypes": ("c_connect((), at('127.0.0.1', other))", CONNECT),
    "tcp-shell": ("shell(f'echo > /dev/tcp/127.0.0.1/{other}')", CONNECT),
    "tcp-other-host-ctypes": ("c_connect((), at('127.0.0.2', port))", "the run tried to connect to 127.0.0.2:{port}"),
    "tcp-other-host-shell": (
        "shell(f'echo > /dev/tcp/127.0.0.2/{port}')",
        "the run tried to connect to 127.0.0.2:{port}",
    ),
    "udp-python": ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', datagrams))", SEND),
    "udp-connected-python": (
        "s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('127.0.0.1', datagrams)); s.send(b'x')",
        SEND,
    ),
    "udp-message-python": (
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', datagrams))",
        SEND,
    ),
    "udp-ctypes": (
        "s = socket.socket(type=socket.SOCK_DGRAM)\n"
        "c('sendto', s.fileno(), b'x', 1, 0, at('127.0.0.1', datagrams), 16)",
        SEND,
    ),
    "udp-connected-ctypes": ("c_connect((socket.AF_INET, socket.SOCK_DGRAM), at('127.0.0.1', datagrams))", SEND),
    "udp-shell": ("shell(f'echo x > /dev/udp/127.0.0.1/{datagrams}')", SEND),
    "dns-python": (
        "socket.getaddrinfo('warehouse.example.org', 5432)",
        "the run asked for the address of warehouse.example.org:5432",
    ),
    "dns-by-name-python": (
        "socket.gethostbyname('warehouse.example.org')",
        "the run asked for the address of warehouse.example.org",
    ),
    "dns-ctypes": (
        "libc.gethostbyname(b'warehouse.example.org') or c('close', -1)",
        "the run asked the name server ",
    ),
    "dns-shell": (
        "shell('getent hosts warehouse.example.org')",
        "the run's `getent hosts warehouse.example.org` asked",
    ),
    "raw-python": ("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "the run tried to open a raw socket"),
    "unix-python": (
        "socket.socket(socket.AF_UNIX).connect(str(outside / 's'))",
        "the run tried to connect to the socket",
    ),
    "unix-ctypes": (
        "c_connect((socket.AF_UNIX,), b'\\1\\0' + os.fsencode(outside / 's') + b'\\0')",
        "the run tried to connect to the socket {outside}/s",
    ),
    "unix-shell": (
        "shell(f'curl -sS --unix-socket {outside}/s http://x/')",
        "tried to connect to the socket {outside}/s",  # behind the command, which is shortened where paths are long
    ),
    "abstract-python": ("socket.socket(socket.AF_UNIX).connect('\\0' + abstract)", ABSTRACT),
    "abstract-ctypes": ("c_connect((socket.AF_UNIX,), b'\\1\\0\\0' + abstract.encode())", ABSTRACT),
    "chmod-python": ("os.chmod(outside / 'file', 0)", MODE),
    "chmod-ctypes": ("c('chmod', outside / 'file', 0)", MODE),
    "chmod-shell": ("shell(f'chmod 0 {outside}/file')", MODE),
    "fchmod-python": ("os.fchmod(os.open(outside / 'file', os.O_RDONLY), 0)", MODE),
    "chmod-relative": ("os.chdir(outside); c('chmod', 'file', 0)", MODE),
    "chmod-through-a-link": ("os.symlink(outside, inside / 'd'); c('chmod', inside / 'd' / 'file', 0)", MODE),
    "chown-python": ("os.chown(outside / 'file', 1, 1)", OWNER),
    "chown-ctypes": ("c('chown', outside / 'file', 1, 1)", OWNER),
    "chown-shell": ("shell(f'chown 1:1 {outside}/file')", OWNER),
    "utime-python": ("os.utime(outside / 'file', (1, 1))", TIMES),
    "utime-ctypes": ("c('utime', outside / 'file', 0)", TIMES),
    "utime-shell": ("shell(f'touch -d 2001-01-01 {outside}/file')", "{outside}/file"),
    "xattr-python": ("os.setxattr(outside / 'file', 'user.x', b'1')", ATTRIBUTES),
    "xattr-ctypes": ("c('setxattr', outside / 'file', 'user.x', b'1', 1, 0)", ATTRIBUTES),
    "xattr-program": (
        "shell(f'{sys.executable} -c \"import os; os.setxattr({str(outside)!r} + chr(47) + chr(102) + chr(105) + "
        "chr(108) + chr(101), chr(117) + chr(115) + chr(101) + chr(114) + chr(46) + chr(120), bytes(1))\"')",
        "change the attributes of {file}",
    ),
    "write-ctypes": ("c('open', outside / 'file', os.O_WRONLY | os.O_TRUNC)", "the run tried to write {file}"),
    "write-shell": ("shell(f'echo x > {outside}/file')", "tried to write {file}"),
    "append-shell": ("shell(f'echo x >> {outside}/file')", "tried to write {file}"),
    "remove-shell": ("shell(f'rm {outside}/file')", "tried to write {file}"),
    "move-shell": ("shell(f'mv {outside}/file {inside}/moved')", "tried to write {file}"),
    "link-ctypes": ("c('link', outside / 'file', inside / 'link')", "tried to write {file}"),
    "mkdir-shell": ("shell(f'mkdir {outside}/new')", "tried to write {outside}/new"),
    "kill-python": ("os.kill(bystander, signal.SIGTERM)", SIGNAL),
    "kill-group-python": ("os.killpg(bystander, signal.SIGTERM)", "the run tried to send SIGTERM to process group"),
    "kill-all-python": ("os.kill(-1, signal.SIGTERM)", "the run tried to send SIGTERM to all processes"),
    "kill-ctypes": ("c('kill', bystander, signal.SIGTERM)", SIGNAL),
    "kill-shell": ("shell(f'kill {bystander}')", "tried to send SIGTERM to process {bystander}"),
    "kill-pidfd": ("signal.pidfd_send_signal(os.pidfd_open(bystander), signal.SIGTERM)", SIGNAL),
    "memory-python": ("open(f'/proc/{bystander}/mem', 'r+b')", "/proc/{bystander}/mem"),
    "memory-ctypes": ("c('open', f'/proc/{bystander}/mem', os.O_RDWR)", "/proc/{bystander}/mem"),
    "memory-shell": ("shell(f'dd if=/dev/zero of=/proc/{bystander}/mem count=1')", "/proc/{bystander}/mem"),
    "ptrace-ctypes": ("c('ptrace', 16, bystander, 0, 0)", ""),
    "shm-python": ("open(f'/dev/shm/{shared}', 'w')", MEMORY),
    "shm-ctypes": ("c('shm_open', shared, os.O_RDWR, 0)", MEMORY),
    "shm-shell": ("shell(f'echo x > /dev/shm/{shared}')", "tried to write /dev/shm/{shared}"),
    "shm-remove-shell": ("shell(f'rm /dev/shm/{shared}')", "tried to write /dev/shm/{shared}"),
    "system-v-ctypes": ("c('shmget', 0, 4096, 0o1600)", "the run tried to create something that outlives it (shmget"),
    "devices-shell": ("shell('echo x > /dev/mem')", "tried to write /dev/mem"),
    "machine-ctypes": ("name = os.uname().nodename; c('sethostname', name, len(name))", ""),
    "io-uring-ctypes": ("c('syscall', 425, 1, ctypes.create_string_buffer(256))", ""),
}
#: What a run does in its own world.
HEALTHY = {
    "write": "(inside / 'a').write_text('x')",
    "modes": "os.chmod(inside / 'file', 0o600); os.utime(inside / 'file', (1, 1)); shell(f'chmod 644 {inside}/file')",
    "times": "shell(f'touch -d 2001-01-01 {inside}/file'); shell(f'cp -pR {inside} {inside}/../inside/copy || true')",
    "attributes": "os.chown(inside / 'file', os.getuid(), os.getgid())",
    "copy-with-all": "shutil.copy2(outside / 'file', inside / 'copied'); shutil.copystat(inside, inside)",
    "own-descriptors": "os.fchmod(os.open(inside / 'file', os.O_RDWR), 0o600); shell('echo x > /dev/stderr')",
    "null": "shell('echo x > /dev/null; cat /dev/null > /dev/stdout; : > /dev/fd/2')",
    "link-to-outside": "os.symlink(outside / 'file', inside / 'l'); os.remove(inside / 'l'); os.rmdir.__name__",
    "times-of-a-link": "os.symlink(outside / 'file', inside / 'k'); os.utime(inside / 'k', follow_symlinks=False)",
    "connect": "socket.create_connection(('127.0.0.1', port), 5).close()",
    "connect-by-name": "socket.create_connection(('localhost', port), 5).close()",
    "connect-ctypes": "c_connect((), at('127.0.0.1', port))",
    "connect-shell": "shell(f'echo > /dev/tcp/127.0.0.1/{port}')",
    "own-name": "socket.getaddrinfo('localhost', None); socket.getaddrinfo('127.0.0.1', 80)",
    "socketpair": "a, b = socket.socketpair(); a.sendmsg([b'x']); b.recv(1)",
    "own-unix-socket": "s = socket.socket(socket.AF_UNIX); s.bind(str(inside / 'mine')); s.listen()\n"
    "socket.socket(socket.AF_UNIX).connect(str(inside / 'mine'))",
    "own-abstract-socket": "s = socket.socket(socket.AF_UNIX); s.bind(f'\\0mine-{os.getpid()}'); s.listen()\n"
    "socket.socket(socket.AF_UNIX).connect(f'\\0mine-{os.getpid()}')",
    "own-child": "p = subprocess.Popen(['sleep', '9']); p.terminate(); assert p.wait() == -15",
    "own-group": "p = subprocess.Popen(['sleep', '9'], start_new_session=True); os.killpg(p.pid, 9); p.wait()",
    "own-grandchild": "shell('sleep 9 & kill $!; wait $! || true')",
    "own-timeout": "shell('timeout 0.1 sleep 9 || test $? = 124')",
    "is-alive": "os.kill(os.getpid(), 0); shell('kill -0 $$')",
    "own-signal": "signal.signal(signal.SIGUSR1, lambda *a: None); signal.raise_signal(signal.SIGUSR1)",
    "locks": "import multiprocessing as m; l = m.Lock(); p = m.Process(target=l.acquire); p.start(); p.join()",
    "pool": "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: assert p.map(abs, [-1]) == [1]",
    # without the tracker, which is a program of its own that not every user can start
    "shared-memory": "from multiprocessing import resource_tracker as t, shared_memory as s\n"
    "t.register = t.unregister = lambda *a: None\nm = s.SharedMemory(create=True, size=9); m.close(); m.unlink()",
    "shared-memory-left": "c('shm_open', left, os.O_RDWR | os.O_CREAT, 0o600); shell(f'echo x >> /dev/shm/{left}')",
    "sqlite": "import sqlite3; d = sqlite3.connect(inside / 'd.db'); d.execute('CREATE TABLE t (i)'); d.close()",
    "event-loop": "import asyncio; asyncio.run(asyncio.sleep(0))",
}


@dataclass
class Behind:
    """What became of each of the ways, and what was noted."""

    known: dict[str, Any]
    results: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def told(self, way: str) -> str:
        """The sentence that a way should leave."""
        return WAYS[way][1].format(**self.known)


def let_loose(folder: Path, bodies: dict[str, str]) -> Behind:
    """Run lines of Python behind a gate of this process's, all in one process."""
    for name in ("inside", "outside"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("old")
    shared = Path("/dev/shm", f"dagproof-test-{os.getpid()}-{time.monotonic_ns()}")
    shared.write_text("old")
    abstract = shared.name
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with (
        socket.create_server(("127.0.0.1", 0)) as mine,
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as hidden,
    ):
        datagrams.bind(("127.0.0.1", 0))
        unix.bind(str(folder / "outside" / "s"))
        unix.listen()
        hidden.bind("\0" + abstract)
        hidden.listen()
        ports = [sock.getsockname()[1] for sock in (mine, other, datagrams)]
        given = [str(folder / "inside"), str(folder / "outside"), *ports, bystander.pid]
        names = dict(zip(("inside", "outside", "port", "other", "datagrams", "bystander"), given, strict=True))
        left = f"{shared.name}-left"
        found = Behind({**names, "file": f"{given[1]}/file", "shared": shared.name, "abstract": abstract, "left": left})
        try:
            gate, channel = socket.socketpair()
            guard = Guard([given[0]], [("127.0.0.1", ports[0])], note=lambda kind, what: found.notes.append(what))
            values = "".join(f"{name} = {value!r}\n" for name, value in (("shared", shared.name), ("left", left)))
            program = PROGRAM.replace("libc =", f"abstract = {abstract!r}\n{values}libc =")
            process = subprocess.Popen(
                [sys.executable, "-c", program, json.dumps(given), str(channel.fileno())],
                executable=PYTHON,
                pass_fds=[channel.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            held = Gate(guard, process.pid, gate)
            channel.close()
            with process:
                try:
                    out, _ = process.communicate(json.dumps(bodies), timeout=120)
                finally:
                    process.kill()
            found.results = json.loads(out.splitlines()[-1])
            for sock in (mine, other, datagrams, unix, hidden):
                sock.settimeout(0)
            found.known["heard"] = [
                what for what, sock in (("tcp", other), ("unix", unix), ("abstract", hidden)) if heard(sock)
            ]
            found.known["datagram"] = heard(datagrams)
            found.known["alive"] = bystander.poll() is None
            found.known["kept"] = shared.read_text() if shared.exists() else None
            found.known["swept"] = held.sweep()
            found.known["left_after"] = os.path.exists(f"/dev/shm/{left}")
            found.known["stat"] = (folder / "outside" / "file").stat()
        finally:
            bystander.kill()
            bystander.wait()
            shared.unlink(missing_ok=True)
    return found


def heard(sock: socket.socket) -> bool:
    """Whether anything came to a socket."""
    try:
        if sock.type == socket.SOCK_DGRAM:
            sock.recv(9)
        else:
            sock.accept()
    except BlockingIOError:
        return False
    return True


def has_gate() -> bool:
    """Whether this kernel lets one process answer for another's calls."""
    read = "import sys; from dagproof.inside.seccomp import install; sys.exit(install() < 0)"
    return subprocess.run([sys.executable, "-c", read], executable=PYTHON, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not has_gate(), reason="this kernel has no notifications of system calls")


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Behind:
    """All ways, tried by this user."""
    return let_loose(tmp_path_factory.mktemp("gate"), {name: body for name, (body, _) in WAYS.items()})


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Behind:
    """What a run may do, by this user."""
    return let_loose(tmp_path_factory.mktemp("gate"), HEALTHY)


@pytest.mark.parametrize("way", WAYS)
def test_a_way_out_is_closed(way: str, behind: Behind) -> None:
    """And what was tried is noted, in the sentence with the place and the setting."""
    assert behind.results[way].startswith(("refused: ", "denied: ")), behind.results[way]
    told = behind.told(way)
    said = [*behind.notes, *(text for text in behind.results.values() if isinstance(text, str))]
    assert any(told in note for note in said), said


def test_nothing_outside_has_changed(behind: Behind) -> None:
    """No server heard anything, the bystander lives, and the file is as it was."""
    assert behind.results["not_held"] == []
    assert behind.known["heard"] == []
    assert not behind.known["datagram"]
    assert behind.known["alive"]
    assert behind.known["kept"] == "old"
    stat = behind.known["stat"]
    assert (stat.st_size, stat.st_mode & 0o777 > 0, stat.st_uid) == (3, True, os.getuid())
    assert stat.st_mtime > 1_000_000_000
    assert os.listdir(behind.known["outside"]) != []


@pytest.mark.parametrize("what", HEALTHY)
def test_what_belongs_to_the_world_works(what: str, healthy: Behind) -> None:
    """Without a word."""
    assert healthy.results[what] == "done"


def test_what_is_healthy_leaves_no_note(healthy: Behind) -> None:
    """A note in a verdict that is about nothing would be a false alarm."""
    assert healthy.notes == []


def test_shared_memory_is_gone_after_the_run(healthy: Behind) -> None:
    """What a run has left there; of what it removed itself nothing is said."""
    assert healthy.known["swept"] == [f"/dev/shm/{healthy.known['left']}"]
    assert not healthy.known["left_after"]


AS_ANOTHER = """
import json, pathlib, sys, types
from dagproof import reaper
reaper.sys = types.SimpleNamespace(**vars(sys) | {"executable": "/proc/self/exe"})
from tests.unit.worlds import test_gate as gate
found = gate.let_loose(pathlib.Path(sys.argv[1]), {name: body for name, (body, _) in gate.WAYS.items()} | gate.HEALTHY)
print(json.dumps([found.results, found.known["alive"]]))
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user")
def test_an_ordinary_user_is_held_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In all of the ways that it has; and what is healthy works."""
    folder = tmp_path_factory.mktemp("gate")
    for place in (folder, *folder.parents):
        if place == folder or place.name.startswith(("pytest-", "popen-")):  # pytest's own
            place.chmod(0o755)
    os.chown(folder, 65534, 65534)
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*become, sys.executable, "-c", "import dagproof"], capture_output=True, check=False).returncode:
        pytest.skip("this environment lies where an ordinary user cannot read it")
    command = [*become, sys.executable, "-c", AS_ANOTHER, str(folder)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=120)
    results, is_alive = json.loads(done.stdout)
    assert {way for way in WAYS if results[way] == "done"} == set()
    assert {what: results[what] for what in HEALTHY if results[what] != "done"} == {}
    assert is_alive
    assert results["not_held"] == []
