"""Paths that code has in it, found in the world: in a mount namespace of the worker's own (Linux).

Each path becomes a link to where the world has it, in a copy of its folder that only the worker and what it starts can
see: so Python, C libraries and shells find the same. A link, since the folders of a world are made anew for each.
What else is in that folder is there, too, and nothing on the machine changes.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_BIND, _MOVE, _REC, _PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000
_NOSUID = 0x2
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_PR_SET_DUMPABLE = 4
MOST_ENTRIES = 2_000
"""How many entries a folder may have for a copy of it to be made."""


class MountError(Exception):
    """A path cannot be mapped, and why."""


def mapping_problem(paths: Mapping[str, str], staging: Path) -> str:
    """Map paths as :func:`map_paths` does; return why that cannot be, for people, and an empty text where it can."""
    try:
        map_paths(paths, staging)
    except (MountError, OSError) as error:
        return (
            f"the paths in [tool.dagproof.world] cannot be mapped on this machine: {error}; run dagproof where it may "
            f"make a mount namespace (as root, as a user who may make user namespaces, or in a container with "
            f"CAP_SYS_ADMIN), or let the DAG take the path from an environment variable that env sets"
        )
    return ""


def map_paths(paths: Mapping[str, str], staging: Path) -> None:
    """Let this process, and all that it starts, find at each path what lies at its target.

    The process must have one thread. `staging` is a folder that nobody else uses.

    Raises:
        MountError: the kernel does not let this process.
    """
    if not paths:
        return
    if sys.platform != "linux":
        raise MountError("only Linux has mount namespaces")
    libc = ctypes.CDLL(None, use_errno=True)
    _own_namespace(libc)
    _mount(libc, None, "/", _REC | _PRIVATE)
    for number, (path, target) in enumerate(sorted(paths.items())):
        stage = staging / f"mount-{number}"
        stage.mkdir(parents=True)
        _link(libc, Path(os.path.normpath(path)), target, stage)


def _own_namespace(libc: Any) -> None:
    if libc.unshare(_CLONE_NEWNS) == 0:
        return
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWUSER) != 0:
        raise MountError(f"the kernel does not allow a mount namespace ({os.strerror(ctypes.get_errno())})")
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # /proc/self is its own then, and the gate may look into it
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _link(libc: Any, path: Path, target: str, stage: Path) -> None:
    """Put a link at `path` into a copy of the nearest folder above it that is there."""
    folder = next(above for above in path.parents if above.is_dir()).resolve()
    first = path.relative_to(next(above for above in path.parents if above.is_dir())).parts
    entries = list(os.scandir(folder))
    if len(entries) > MOST_ENTRIES:
        raise MountError(f"{folder} has more than {MOST_ENTRIES:,} entries; map a path in a smaller folder")
    _mount(libc, "tmpfs", str(stage), _NOSUID, "tmpfs")
    os.chmod(stage, stat.S_IMODE(folder.stat().st_mode))
    for entry in entries:
        if entry.name != first[0]:
            with contextlib.suppress(FileNotFoundError):  # it is gone by now, as things in /tmp are
                _copy(libc, entry, stage / entry.name)
    if len(first) > 1 and (folder / first[0]).exists():  # it is a file
        raise MountError(f"{folder / first[0]} is not a folder")
    place = stage.joinpath(*first)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    if folder == Path("/"):
        _become_root(libc, stage)
    else:
        _mount(libc, str(stage), str(folder), _MOVE)
        if Path.cwd() == folder:  # what was here is behind the copy
            os.chdir(folder)


def _copy(libc: Any, entry: os.DirEntry[str], place: Path) -> None:
    if entry.is_symlink():
        place.symlink_to(os.readlink(entry.path))
    elif entry.is_dir():
        place.mkdir()
        _mount(libc, entry.path, str(place), _BIND | _REC)
    else:
        place.touch()
        _mount(libc, entry.path, str(place), _BIND)


def _become_root(libc: Any, stage: Path) -> None:
    here = Path.cwd()
    old = stage / ".before"
    old.mkdir()
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None or libc.syscall(number, os.fsencode(stage), os.fsencode(old)) != 0:
        raise MountError(f"the kernel does not allow a root folder of its own ({os.strerror(ctypes.get_errno())})")
    os.chdir("/")
    if libc.umount2(b"/.before", _DETACH) == 0:
        Path("/.before").rmdir()
    os.chdir(here)


def _mount(libc: Any, source: str | None, target: str, flags: int, kind: str | None = None) -> None:
    values = [os.fsencode(value) if value is not None else None for value in (source, target, kind)]
    if libc.mount(values[0], values[1], values[2], ctypes.c_ulong(flags), None) != 0:
        if ctypes.get_errno() == errno.ENOENT:
            raise FileNotFoundError(target)
        reason = os.strerror(ctypes.get_errno())
        raise MountError(f"the kernel does not allow a mount at {target} ({reason})")
