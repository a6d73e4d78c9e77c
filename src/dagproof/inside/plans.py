"""What a step plans for a run in its process: a kill, a hold or an error at what it does to files, and in a poke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagproof.inside.plain import Plain


@dataclass(frozen=True)
class FilePlan(Plain):
    """What happens at the file operation with the number `at`.

    By its `action`, the process is killed (``kill``), held between two markers (``hold``), or the operation fails with
    the error number `error` (``fail``). Where `of` is ``read``, it is the opening of a file for reading that counts.
    An error that `lasts` meets the same operation again each time. An `error` of 0 is a short read.
    """

    at: int
    action: str
    reached: str = ""
    go: str = ""
    error: int = 0
    of: str = "file"
    lasts: bool = False


@dataclass(frozen=True)
class FileWatch(Plain):
    """The folders whose file operations are counted, by how the names of files in them begin."""

    folders: Mapping[str, str]
    plan: FilePlan | None = None


@dataclass(frozen=True)
class PokePlan(Plain):
    """The poke of a sensor, or the wait of a trigger, that fails: the one numbered `at`, or each from then on."""

    at: int
    error: int
    lasts: bool = False
