"""What the kernel can hold, it is asked to hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Asks the kernel itself which version of Landlock it has, and then what is not held.
PROGRAM = """
import ctypes, sys
from dagproof.worlds.landlock import landlock
abi = ctypes.CDLL(None).syscall(444, None, 0, 1) if sys.platform == "linux" else 0
print(abi, *landlock([], []), sep=";")
"""


@pytest.mark.parametrize(("what", "version"), [("files", 1), ("TCP", 4), ("signals", 6)])
def test_landlock_holds_all_that_the_kernel_has(what: str, version: int) -> None:
    """A fence that is not up is named, and one that could be up is."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    abi, *not_held = done.stdout.strip().split(";")
    assert (what not in not_held) == (int(abi) >= version), done.stdout
