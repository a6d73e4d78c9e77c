"""What the kernel says of a process that has made a system call: its memory, its descriptors, its name."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

#: What stands for the current folder where a call may name one by a descriptor.
AT_CWD = -100
_LONGEST_PATH, _PAGE = 4096, 4096
_LONGEST_COMMAND = 80


def memory(pid: int, address: int, length: int) -> bytes:
    """Return what is in the memory of a process."""
    descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        return os.pread(descriptor, length, address)
    finally:
        os.close(descriptor)


def text_at(pid: int, address: int) -> str:
    """Return the text at an address of a process; what is behind it may not be memory at all."""
    found = b""
    while b"\0" not in found and len(found) < _LONGEST_PATH:
        at = address + len(found)
        found += memory(pid, at, min(256, _PAGE - at % _PAGE))
    return os.fsdecode(found.partition(b"\0")[0])


def path_of(pid: int, folder: int, address: int) -> str:
    """Return the path that a call means: an absolute one, with its links."""
    text = text_at(pid, address) if address else ""
    if not text:
        return file_of(pid, folder)
    if text.startswith(("/dev/fd/", "/dev/std")):
        text = os.path.join("/proc/self/fd", {"stdin": "0", "stdout": "1", "stderr": "2"}.get(text[5:], text[8:]))
    if text.startswith(("/proc/self/", "/proc/thread-self/")):
        return f"/proc/{pid}/{text.split('/', 3)[3]}"
    return text if text[:1] == "/" else os.path.join(folder_of(pid, folder), text)


def folder_of(pid: int, descriptor: int) -> str:
    """Return the folder that a descriptor stands for."""
    return os.readlink(f"/proc/{pid}/cwd") if descriptor == AT_CWD else file_of(pid, descriptor)


def file_of(pid: int, descriptor: int) -> str:
    """Return what a descriptor stands for."""
    if signed(descriptor) == AT_CWD:
        return os.readlink(f"/proc/{pid}/cwd")
    return os.readlink(f"/proc/{pid}/fd/{descriptor}")


def signed(argument: int) -> int:
    """Return an argument that is an int, which takes half of its register."""
    return int(struct.unpack("=i", struct.pack("=I", argument & 0xFFFFFFFF))[0])


def is_abstract(address: bytes) -> bool:
    """Tell whether an address of a Unix socket is a name without a file."""
    return address[:2] == struct.pack("=H", socket.AF_UNIX) and len(address) > 2 and address[2] == 0


def process_of(thread: int) -> int:
    """Return the process that a thread belongs to."""
    return _line_of(f"/proc/{thread}/status", "Tgid:") or thread


def process_behind(pid: int, descriptor: int) -> int:
    """Return the process that a descriptor stands for; 0 where it is gone."""
    return max(0, _line_of(f"/proc/{pid}/fdinfo/{descriptor}", "Pid:"))


def _line_of(path: str, name: str) -> int:
    with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8", errors="replace") as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
    return 0


def program_of(pid: int) -> str:
    """Return the command line of a process, not all of it where it is long."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            text = file.read(400).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_COMMAND else text[: _LONGEST_COMMAND - 1] + "…"
