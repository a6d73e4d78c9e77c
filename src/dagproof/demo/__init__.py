"""``dagproof demo``: a load that everybody would pass in review, proven wrong, fixed, and proven right."""

from __future__ import annotations

import difflib
import importlib.util
import os
import shlex
import subprocess
import textwrap
import venv
from importlib.resources import files
from pathlib import Path

from dagproof import __version__
from dagproof.config import load_config
from dagproof.errors import DagproofError, UsageError
from dagproof.output.files import write_file
from dagproof.output.text import visible
from dagproof.proof.jobs import prove
from dagproof.report.text import proof_text

DAG_ID, DATE, LAW = "orders_daily", "2026-01-01", "rerun"
FLAWED = "order = uuid.uuid4()"
FIXED = 'order = uuid.uuid5(uuid.NAMESPACE_URL, f"orders/{ds}/{number}")'
#: What the demo puts into its folder when it installs Airflow there, before it writes anything else.
ENVIRONMENT = ".venv"


def demo(folder: Path, *, force: bool = False) -> int:
    """Write a small project to `folder` and prove it, before and after the fix; return the exit status.

    Where Airflow is not installed, it is installed into an environment inside the folder first.

    Raises:
        UsageError: the folder is not empty or cannot be written. DagproofError: Airflow cannot be installed.
    """
    _check_folder(folder, force=force)
    if importlib.util.find_spec("airflow") is None:
        return _again_with_airflow(folder, force=force)
    dag_file = _write(folder)
    flawed = dag_file.read_text(encoding="utf-8")
    print(f"A load with ON CONFLICT (id) DO NOTHING, in {dag_file}:\n")
    print(_indented(textwrap.dedent(flawed[flawed.index("    @task") : flawed.index("    load_orders()")]).rstrip()))
    falsified = _proof(folder)
    fixed = flawed.replace(FLAWED, FIXED)
    write_file(dag_file, fixed.encode(), "demo")
    print("\nEach run makes new ids, so nothing ever conflicts. The fix derives the id from the order:\n")
    changed = (line for line in difflib.ndiff(flawed.split("\n"), fixed.split("\n")) if line[0] in "+-")
    print("\n".join(f"    {line[0]} {line[1:].strip()}" for line in changed))
    proven = _proof(folder)
    print(f"\nThe project is in {folder}. Prove all laws next:\n")
    print(f"    cd {shlex.quote(str(folder))} && dagproof prove {DAG_ID}")
    return 0 if (falsified, proven) == (1, 0) else 2


def _check_folder(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds what is not ours, and a link to anywhere."""
    shown, way = visible(str(folder)), "name a new folder: dagproof demo FOLDER"
    if folder.is_symlink():
        raise UsageError(f"{shown} is a link to {visible(os.path.realpath(folder))}, and the demo follows none; {way}")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown} already exists and is not a folder; {way}")
    if not force and folder.exists() and {path.name for path in folder.iterdir()} - {ENVIRONMENT}:
        raise UsageError(f"{shown} already exists and is not empty; {way}, or write into this one with --force")


def _write(folder: Path) -> Path:
    """Write the project; return its DAG file."""
    source = files(__name__) / "project"
    dag_file = folder / "dags" / f"{DAG_ID}.py"
    texts = {dag_file: f"{DAG_ID}.txt"} | {folder / name: name for name in ("pyproject.toml", "schema.sql")}
    try:
        dag_file.parent.mkdir(parents=True, exist_ok=True)
        for path, name in texts.items():
            write_file(path, (source / name).read_bytes(), "demo")
    except OSError as error:
        reason = f"{folder} cannot be written ({error.strerror})"
        raise UsageError(f"{reason}; name another folder: dagproof demo FOLDER") from None
    return dag_file


def _proof(folder: Path) -> int:
    """Show and run ``dagproof prove`` in the folder; return its exit status."""
    print(f"\n$ dagproof prove {DAG_ID} --date {DATE} --law {LAW}\n", flush=True)
    proof = prove(DAG_ID, load_config(folder), dates=[DATE], laws=[LAW])
    print(proof_text(proof), flush=True)
    return proof.exit_status


def _again_with_airflow(folder: Path, *, force: bool) -> int:
    """Install dagproof with Airflow into an environment in the folder, and run the demo there."""
    environment = folder / ENVIRONMENT
    python = environment / "bin" / "python"
    wanted = f"dagproof[airflow]=={__version__}"
    if not python.exists():
        print(f"Airflow is not installed here: installing {wanted} into {environment} …", flush=True)
        venv.create(environment, with_pip=True)
    done = subprocess.run([python, "-m", "pip", "install", "-q", wanted], check=False)
    if done.returncode:
        raise DagproofError(
            f"pip could not install {wanted} (see above); install it where dagproof is, and run the demo again"
        )
    return subprocess.run([python, "-m", "dagproof.cli", "demo", *["--force"] * force, folder], check=False).returncode


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")
