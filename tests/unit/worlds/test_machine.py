"""The order in which a folder's entries come on the machine that turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dagproof.worlds.machine import ELSEWHERE, HERE, Machine, differences

LOOK = """
import glob, json, os, pathlib, shutil, sys, tempfile
from dagproof.worlds.machine import Machine
Machine(**json.loads(sys.argv[2])).become()
folder = sys.argv[1]
with os.scandir(folder) as entries:
    first = next(entries).name
descriptor = os.open(folder, os.O_RDONLY)
print(json.dumps({
    "listdir": os.listdir(folder),
    "bytes": [os.fsdecode(name) for name in os.listdir(os.fsencode(folder))],
    "descriptor": os.listdir(descriptor),
    "scandir": [first, *[entry.name for entry in os.scandir(folder)][1:]],
    "glob": [os.path.basename(path) for path in glob.glob(folder + "/*")],
    "iterdir": [path.name for path in pathlib.Path(folder).iterdir()],
    "pathlib": [path.name for path in pathlib.Path(folder).glob("*")],
    "walk": next(os.walk(folder))[2],
}))
with tempfile.TemporaryDirectory() as other:
    shutil.copytree(folder, other, dirs_exist_ok=True)
    pathlib.Path(other, "deep", "er").mkdir(parents=True)
    shutil.rmtree(os.path.join(other, "deep"))
    assert sorted(os.listdir(other)) == sorted(os.listdir(folder))
assert not os.path.exists(other)
"""


def looked(folder: Path, machine: Machine) -> dict[str, Any]:
    """What a process on the machine sees of a folder, by the way in which it looks."""
    command = [sys.executable, "-c", LOOK, str(folder), json.dumps(machine.to_json())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_folder_is_listed_the_other_way_round_on_the_machine_that_turns(tmp_path: Path) -> None:
    """Whichever way a program looks at it; what is made of the listing still works."""
    for name in ("b", "a", "d", "c", "é", ".hidden"):
        (tmp_path / name).touch()
    here, elsewhere = looked(tmp_path, HERE), looked(tmp_path, ELSEWHERE)
    assert elsewhere == {way: names[::-1] for way, names in here.items()}
    assert here["listdir"] == os.listdir(tmp_path)
    assert looked(tmp_path, ELSEWHERE.in_order()) == here


def test_a_machine_in_order_has_a_place_of_its_own() -> None:
    """So that its runs are not taken for those of the machine that turns."""
    assert ELSEWHERE.place != ELSEWHERE.in_order().place
    assert "order of upstream rows" not in differences(HERE, ELSEWHERE.in_order())
