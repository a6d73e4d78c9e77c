"""Write how sensors of providers wait unless they are told otherwise, out of unpacked releases of the providers.

``poke``, ``defer`` or ``reschedule``; with ``timeout`` behind it where the class has a timeout of its own.

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
        self.defaults = dict(_defaults(methods["__init__"])) if "__init__" in methods else {}
        self.keeps = {name for name in self.defaults if f"self.{name} = {name}" in text}
        self.may_choose = "deferrable" in words or "super().execute(" in text


def _defaults(method: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    """The parameters of a method that have a constant as their default, with it."""
    arguments = method.args
    pairs = [*zip(reversed(arguments.args), reversed(arguments.defaults), strict=False)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    pairs += [(one, default) for one, default in named if default]
    for argument, default in pairs:
        if isinstance(default, ast.Constant):
            yield argument.arg, default.value


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


def own(name: str, known: dict[str, Kind], key: str) -> object:
    """Return the default that a class itself has for an argument of all sensors; None where it has none."""
    return next((one.defaults[key] for one in line(name, known) if key in one.keeps), None)


def told(name: str, known: dict[str, Kind]) -> str:
    """Return how a sensor waits, and whether it has a timeout of its own."""
    kind = kind_of(name, known)
    if kind == "poke" and own(name, known, "mode") == "reschedule":
        kind = "reschedule"
    has_timeout = isinstance(own(name, known, "timeout"), int | float)
    return f"{kind} timeout" if kind and has_timeout else kind


def main(folder: Path) -> None:
    """Print the table."""
    known = classes(folder)
    names = sorted(name for name in known if name.endswith(("Sensor", "SensorAsync")) and not name.startswith("_"))
    kinds = {name: kind for name in names if (kind := told(name, known))}
    print(json.dumps(kinds, indent=1))  # noqa: T201 - it is what the script is for


if __name__ == "__main__":
    main(Path(sys.argv[1]))
