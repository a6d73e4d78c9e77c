"""Write which sensors of providers poke, and which always defer, out of unpacked releases of the providers.

pip download --no-deps --no-binary :all: apache-airflow-providers-amazon …   # and unpack them into FOLDER
python constraints/sensors.py FOLDER > src/dagproof/source/sensor_kinds.json
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path


class Kind:
    """What is known of one class: its bases, and what its methods say."""

    def __init__(self, node: ast.ClassDef) -> None:
        self.bases = [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]
        methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
        text = ast.unparse(node)
        self.pokes = "poke" in methods
        self.executes = "execute" in methods
        self.defers = ".defer(" in text or "TaskDeferred" in text
        words = {getattr(one, "arg", getattr(one, "attr", getattr(one, "id", ""))) for one in ast.walk(node)}
        self.may_choose = "deferrable" in words or "super().execute(" in text


def classes(folder: Path) -> dict[str, Kind]:
    """Return each class of the providers in a folder, by its name."""
    found = {}
    for path in sorted(folder.glob("*/src/airflow/providers/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name] = Kind(node)
    return found


def line(name: str, known: dict[str, Kind]) -> Iterator[Kind]:
    """Yield a class and what it is derived from, the nearest first."""
    if name in known:
        yield known[name]
        for base in known[name].bases:
            yield from line(base, known)


def kind_of(name: str, known: dict[str, Kind]) -> str:
    """Return ``poke`` or ``defer``: what a sensor does unless it is told otherwise; empty where that is not clear."""
    around = list(line(name, known))
    executes = next((one for one in around if one.executes), None)
    pokes = any(one.pokes for one in around)
    if executes is None:
        return "poke" if pokes else ""
    if executes.may_choose:
        return "poke" if pokes else ""
    return "defer" if executes.defers else ""


def main(folder: Path) -> None:
    """Print the table."""
    known = classes(folder)
    names = sorted(name for name in known if name.endswith(("Sensor", "SensorAsync")) and not name.startswith("_"))
    kinds = {name: kind for name in names if (kind := kind_of(name, known))}
    print(json.dumps(kinds, indent=1))  # noqa: T201 - it is what the script is for


if __name__ == "__main__":
    main(Path(sys.argv[1]))
